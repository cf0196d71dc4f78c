/* The walk over the blocks of an input: whose they are, and where.  Reads heads and small tables, no events. */
#include <string.h>

#include <zlib.h>

#include "converter/read/trace.h"

enum { FORGET_STEP = 8 << 20 };

int ct_trace_block(const struct ct_trace_segment *segment, uint64_t at, struct ct_block *ret, struct ct_error *err)
{
    uint64_t left = segment->source.size - at;
    struct ct_block block = { .offset = at };

    if (left < sizeof block.head)
        return ct_error_at(err, -ENODATA, at, "the trace ends within the head of a block");
    memcpy(&block.head, segment->source.bytes + at, sizeof block.head);
    if (block.head.magic != CT_BLOCK_MAGIC)
        return ct_error_at(err, -EINVAL, at, "no block begins here (0x%08x)", block.head.magic);
    if (block.head.size > CT_BLOCK_MAX)
        return ct_error_at(err, -EINVAL, at + 8, "a block of %u bytes, %d are allowed", block.head.size, CT_BLOCK_MAX);
    if (block.head.size > left - sizeof block.head)
        return ct_error_at(err, -ENODATA, at, "the trace ends within a block");
    at += sizeof block.head;
    block.payload = ct_cursor_over(segment->source.bytes + at, block.head.size, at);
    *ret = block;
    return 0;
}

int ct_block_check(const struct ct_block *block, struct ct_error *err)
{
    uLong crc = crc32(0, (const Bytef *)&block->head, offsetof(struct ct_block_head, crc));

    crc = crc32(crc, block->payload.base, block->head.size);
    return crc == block->head.crc ? 0 : ct_error_at(err, -EINVAL, block->offset, "a block's checksum is wrong");
}

void ct_trace_damage(struct ct_trace_input *input, unsigned segment, const struct ct_error *err)
{
    for (unsigned i = segment; i < input->segment_count; i++) {
        uint64_t limit = i == segment ? err->offset : 0;

        if (limit < input->segments[i].limit)
            input->segments[i].limit = limit;
    }
    if (input->ending.damage && input->ending.error.offset <= err->offset)
        return;
    input->ending.damage = err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    input->ending.error = *err;
    input->ending.error.code = input->ending.damage;
    input->ending.cut_offset = err->offset;
    input->ending.complete = false;
}

/* Where the blocks of a walk come from. */
struct walk {
    struct ct_trace *trace;
    struct ct_trace_input *input;
    unsigned segment;
    struct ct_block block;
    struct ct_error *err;
};

static int no_memory(struct walk *w)
{
    return ct_error_at(w->err, -ENOMEM, w->block.offset, "out of memory");
}

static int chain_block(struct walk *w, struct ct_extent_chain *chain)
{
    struct ct_trace_input *in = w->input;
    uint64_t from = w->block.offset, to = from + sizeof w->block.head + w->block.head.size;
    struct ct_extent *last = chain->last == CT_EXTENT_NONE ? NULL : &in->extents.items[chain->last];
    uint32_t place = (uint32_t)in->extents.count;
    struct ct_extent *fresh;

    if (last && last->segment == w->segment && last->to == from) {
        last->to = to;
        return 0;
    }
    fresh = place == CT_EXTENT_NONE ? NULL : ct_list_add(&in->extents);
    if (!fresh)
        return no_memory(w);
    *fresh = (struct ct_extent){ from, to, w->segment, CT_EXTENT_NONE };
    if (chain->last == CT_EXTENT_NONE)
        chain->first = place;
    else
        in->extents.items[chain->last].next = place;
    chain->last = place;
    return 0;
}

/* NULL without memory, or when there are too many: w->err tells. */
static struct ct_program *program_new(struct walk *w)
{
    struct ct_program *program, **place;

    if (w->trace->programs.count >= CT_READ_PROGRAMS_MAX) {
        ct_error_fill(w->err, -EINVAL, w->block.offset, "more than %d programs", CT_READ_PROGRAMS_MAX);
        return NULL;
    }
    no_memory(w);
    program = calloc(1, sizeof *program);
    place = program ? ct_list_add(&w->trace->programs) : NULL;

    if (!place) {
        free(program);
        return NULL;
    }
    *place = program;
    program->pub.input = (unsigned)(w->input - w->trace->inputs.items);
    program->plans = w->input->plans;
    program->tables = (struct ct_extent_chain){ CT_EXTENT_NONE, CT_EXTENT_NONE };
    w->input->program = program;
    return program;
}

/* The program that blocks belong to: a file that lost its RUN block has a nameless one. */
static struct ct_program *program_of(struct walk *w)
{
    return w->input->program ? w->input->program : program_new(w);
}

static int take_run(struct walk *w)
{
    struct ct_run run;
    uint64_t key;
    uint32_t place;
    int r = ct_run_get(&w->block.payload, &run, w->err);

    if (r < 0)
        return r;
    memcpy(&key, run.arena_id, sizeof key);
    place = ct_idmap_get(&w->input->program_places, key);
    if (place != CT_IDMAP_NONE) {
        struct ct_program *known = w->trace->programs.items[place];

        if (memcmp(known->pub.run.arena_id, run.arena_id, CT_UUID_SIZE) == 0) {
            w->input->program = known;          /* its recovered end */
            return 0;
        }
    }
    /* blocks before the first RUN lost theirs: this is it */
    if (w->trace->programs.count && w->input->program && w->input->program->pub.run.program.at == NULL &&
        w->input->program_places.count == 0)
        place = (uint32_t)w->trace->programs.count - 1;
    else if (program_new(w))
        place = (uint32_t)w->trace->programs.count - 1;
    else
        return w->err->code;
    w->input->program->pub.run = run;
    r = ct_idmap_add(&w->input->program_places, key, place);
    return r == -ENOMEM ? no_memory(w) : 0;
}

static int take_schema(struct walk *w)
{
    struct ct_read_plans *plans;
    unsigned count = 0;
    int r;

    for (plans = w->trace->plans; plans; plans = plans->next, count++)
        if (plans->crc == w->block.head.crc && plans->size == w->block.head.size)
            break;
    if (!plans) {
        if (count >= CT_READ_SCHEMAS_MAX)
            return ct_error_at(w->err, -EINVAL, w->block.offset, "more than %d different schemas", CT_READ_SCHEMAS_MAX);
        r = ct_read_plans_new(&w->block.payload, w->block.head.crc, &plans, w->err);
        if (r < 0)
            return r;
        plans->next = w->trace->plans;
        w->trace->plans = plans;
    }
    w->input->plans = plans;
    if (w->input->program)
        w->input->program->plans = plans;
    return 0;
}

/* NULL as program_new. */
static struct ct_generation_index *generation_of(struct walk *w)
{
    struct ct_program *program = program_of(w);
    uint32_t number = w->block.head.generation, place;
    struct ct_generation_index *g;

    if (!program)
        return NULL;
    place = ct_idmap_get(&program->generation_places, number);
    if (place != CT_IDMAP_NONE)
        return &program->generations.items[place];
    place = (uint32_t)program->generations.count;
    if (place >= CT_READ_GENERATIONS_MAX) {
        ct_error_fill(w->err, -EINVAL, w->block.offset, "more than %d generations", CT_READ_GENERATIONS_MAX);
        return NULL;
    }
    no_memory(w);
    if (ct_idmap_add(&program->generation_places, number, place) < 0 || !(g = ct_list_add(&program->generations)))
        return NULL;
    *g = (struct ct_generation_index){ .number = number, .first_ticks = UINT64_MAX,
                                       .blocks = { CT_EXTENT_NONE, CT_EXTENT_NONE } };
    return g;
}

/* Only what places the piece in time; the rest is checked when the generation is loaded. */
static void note_piece(struct ct_generation_index *g, struct ct_cursor payload)
{
    struct ct_batch_piece piece;

    if (ct_batch_piece_get(&payload, &piece, NULL) < 0)
        return;
    if (piece.base_ticks < g->first_ticks)
        g->first_ticks = piece.base_ticks;
    if (piece.base_ticks > g->last_ticks)
        g->last_ticks = piece.base_ticks;
}

static int take_of_generation(struct walk *w)
{
    struct ct_generation_index *g = generation_of(w);
    int r = 0;

    if (!g)
        return w->err->code;
    switch (w->block.head.type) {
    case CT_BLOCK_GENERATION:
        r = ct_block_check(&w->block, w->err);
        if (r == 0 && (r = ct_generation_get(&w->block.payload, &g->start, w->err)) == 0)
            g->has_start = true;
        break;
    case CT_BLOCK_GENERATION_END:
        r = ct_block_check(&w->block, w->err);
        if (r == 0 && (r = ct_generation_end_get(&w->block.payload, &g->end, w->err)) == 0)
            g->has_end = true;
        break;
    case CT_BLOCK_BATCH:
        w->trace->oddities.late_pieces += (w->block.head.flags & CT_BLOCK_LATE) != 0;
        note_piece(g, w->block.payload);
        break;
    default:
        break;
    }
    g->recovered |= (w->block.head.flags & CT_BLOCK_RECOVERED) != 0;
    w->input->ending.recovered |= g->recovered;
    return r < 0 ? r : chain_block(w, &g->blocks);
}

static int take_of_program(struct walk *w)
{
    struct ct_program *program;
    int r;

    switch (w->block.head.type) {
    case CT_BLOCK_RUN:
        r = ct_block_check(&w->block, w->err);
        return r < 0 ? r : take_run(w);
    case CT_BLOCK_SCHEMA:
        r = ct_block_check(&w->block, w->err);
        return r < 0 ? r : take_schema(w);
    case CT_BLOCK_COVER:
        r = ct_block_check(&w->block, w->err);
        w->input->cover = (struct ct_text){ (const char *)w->block.payload.at, w->block.head.size };
        return r;
    case CT_BLOCK_DIRECTORY:
        return 0;
    case CT_BLOCK_GENERATION:
    case CT_BLOCK_GENERATION_END:
    case CT_BLOCK_BATCH:
        return ct_error_at(w->err, -EINVAL, w->block.offset, "a block of type %u belongs to no generation",
                           w->block.head.type);
    default:
        break;
    }
    program = program_of(w);
    if (!program)
        return w->err->code;
    if (w->block.head.type != CT_BLOCK_END)
        return chain_block(w, &program->tables);
    r = ct_block_check(&w->block, w->err);
    if (r == 0 && (r = ct_end_get(&w->block.payload, &program->pub.end, w->err)) == 0)
        program->pub.has_end = true;
    return r;
}

static int take_block(struct walk *w)
{
    unsigned type = w->block.head.type;
    unsigned counted = type < CT_READ_BLOCK_TYPES ? type : 0;

    w->input->block_bytes[counted] += sizeof w->block.head + w->block.head.size;
    w->input->blocks[counted]++;
    if (type == 0 || type > CT_BLOCK_COVER) {
        w->trace->oddities.unknown_blocks++;
        return 0;
    }
    return w->block.head.generation ? take_of_generation(w) : take_of_program(w);
}

/* 0 when the segment is walked to its end, however that looks; negative when it is no trace, or without memory. */
static int walk_segment(struct walk *w)
{
    struct ct_trace_segment *segment = &w->input->segments[w->segment];
    struct ct_file_head head;
    uint64_t at = 0, forgotten = 0;
    int r = 0;

    segment->limit = segment->source.size;
    if (segment->source.size >= sizeof head && memcmp(segment->source.bytes, CT_FILE_MAGIC, 8) == 0) {
        memcpy(&head, segment->source.bytes, sizeof head);
        if (head.major != CT_FORMAT_MAJOR)
            return ct_error_at(w->err, -ENOTSUP, 8, "format %u.%u; this ctrace reads %d.x", head.major, head.minor,
                               CT_FORMAT_MAJOR);
        at = sizeof head;
    } else if (w->segment == 0) {
        return ct_error_at(w->err, -EINVAL, 0, "is not a trace of ctrace");
    }
    while (r == 0 && at < segment->source.size) {
        r = ct_trace_block(segment, at, &w->block, w->err);
        if (r == 0)
            r = take_block(w);
        if (r == 0)
            at += sizeof w->block.head + w->block.head.size;
        if (at - forgotten >= FORGET_STEP) {
            ct_read_source_forget(&segment->source, forgotten, at);
            forgotten = at;
        }
    }
    ct_read_source_forget(&segment->source, 0, at);
    if (r == -ENOMEM)
        return r;
    if (r == -ENODATA && w->err->offset == at && segment->source.short_code != -EINVAL) {
        segment->limit = at;
        if (w->segment == 0) {                  /* people know the file, not what was found beside it */
            w->input->ending.error = *w->err;
            w->input->ending.cut_offset = at;
        }
    } else if (r < 0) {
        w->err->offset = at;                    /* nothing of this block is used */
        ct_trace_damage(w->input, w->segment, w->err);
    } else {
        if (w->segment == 0)
            w->input->ending.cut_offset = at;
        if (segment->source.short_code == -EINVAL) {
            ct_error_fill(w->err, -EINVAL, at, "the gzip is damaged");
            ct_trace_damage(w->input, w->segment, w->err);
        }
    }
    return 0;
}

/* Whether the input is closed: every program of it has an end, and nothing was cut off. */
static void judge_ending(struct ct_trace *trace, unsigned number)
{
    struct ct_trace_input *in = &trace->inputs.items[number];
    bool complete = false;

    if (in->ending.damage)
        return;
    for (size_t i = 0; i < trace->programs.count; i++)
        if (trace->programs.items[i]->pub.input == number)
            complete = trace->programs.items[i]->pub.has_end;
    in->ending.complete = complete;
    if (complete)
        in->ending.error = (struct ct_error){ 0 };
    else if (in->ending.error.code == 0)
        ct_error_fill(&in->ending.error, -ENODATA, in->ending.cut_offset, "the trace has no end");
}

int ct_trace_add(struct ct_trace *trace, const struct ct_read_input *input, struct ct_error *err)
{
    struct ct_trace_input *in = ct_list_add(&trace->inputs);
    struct walk w = { .trace = trace, .input = in, .err = err };
    int r = 0;

    if (!in)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    *in = (struct ct_trace_input){ .name = input->path ? input->path : "-", .segment_count = 1 };
    if (input->memory)
        r = ct_read_source_memory(input->memory, input->memory_size, &in->segments[0].source, err);
    else
        r = ct_read_source_open(input->path, input->fd, trace->inflate_max, &in->segments[0].source, err);
    if (r == 0 && input->size && input->size < in->segments[0].source.size && !in->segments[0].source.packed)
        in->segments[0].source.size = input->size;
    if (r < 0)
        return r;
    if (input->tail_size) {
        in->segments[1].source = (struct ct_read_source){ .bytes = input->tail, .size = input->tail_size };
        in->segment_count = 2;
    }
    for (w.segment = 0; r == 0 && w.segment < in->segment_count; w.segment++)
        r = in->ending.damage ? 0 : walk_segment(&w);
    if (r == 0)
        judge_ending(trace, (unsigned)trace->inputs.count - 1);
    return r;
}
