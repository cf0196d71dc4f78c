/* The walk over the blocks of an input: whose they are, and where.  Reads heads and small tables, no events. */
#include "converter/read/walk.h"

#include <string.h>

#include "converter/read/directory.h"

enum { FORGET_STEP = 8 << 20 };

static int no_memory(struct ct_walk *w)
{
    return ct_error_at(w->err, -ENOMEM, w->block.offset, "out of memory");
}

static int chain_block(struct ct_walk *w, struct ct_extent_chain *chain)
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
static struct ct_program *program_new(struct ct_walk *w)
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
static struct ct_program *program_of(struct ct_walk *w)
{
    return w->input->program ? w->input->program : program_new(w);
}

static int take_run(struct ct_walk *w)
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

static int take_schema(struct ct_walk *w)
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
static struct ct_generation_index *generation_of(struct ct_walk *w)
{
    struct ct_program *program = program_of(w);
    uint32_t number = w->block.head.generation, place;
    struct ct_generation_index *g;

    if (!program)
        return NULL;
    place = ct_idmap_get(&program->generation_places, number);
    if (place != CT_IDMAP_NONE) {
        if (place < program->next_generation && w->input->segments[w->segment].source.growing)  /* a tail may repeat the file */
            w->trace->oddities.too_late++;
        return &program->generations.items[place];
    }
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

/* What a block says of its generation, but for events and tables. */
static int note_block(struct ct_walk *w, struct ct_generation_index *g)
{
    int r = 0;

    switch (w->block.head.type) {
    case CT_BLOCK_GENERATION:
        r = ct_block_check(&w->block, w->err);
        if (r == 0 && (r = ct_generation_get(&w->block.payload, &g->start, w->err)) == 0)
            g->has_start = true;
        g->start_at = w->block.offset;
        break;
    case CT_BLOCK_GENERATION_END:
        r = ct_block_check(&w->block, w->err);
        if (r == 0 && (r = ct_generation_end_get(&w->block.payload, &g->end, w->err)) == 0)
            g->has_end = true;
        g->end_at = w->block.offset;
        break;
    case CT_BLOCK_BATCH:
        note_piece(g, w->block.payload);
        break;
    default:
        break;
    }
    g->recovered |= (w->block.head.flags & CT_BLOCK_RECOVERED) != 0;
    w->input->ending.recovered |= g->recovered;
    return r;
}

static int take_of_generation(struct ct_walk *w)
{
    struct ct_generation_index *g = generation_of(w);
    int r = g ? note_block(w, g) : w->err->code;

    return r < 0 ? r : chain_block(w, &g->blocks);
}

static int take_of_program(struct ct_walk *w)
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
    case CT_BLOCK_FOOT:
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

static int take_block(struct ct_walk *w)
{
    if (!ct_trace_count(w->trace, w->input, &w->block))
        return 0;
    return w->block.head.generation ? take_of_generation(w) : take_of_program(w);
}

/* Takes a run of blocks of one generation as a whole. */
static int take_row(struct ct_walk *w, const struct ct_trace_segment *segment, const struct ct_directory_row *row)
{
    struct ct_generation_index *g;
    struct ct_block block;
    int r = ct_trace_block(segment, row->offset, &block, w->err);

    w->block = block;
    w->block.head.size = (uint32_t)(row->size - sizeof block.head);
    g = r == 0 ? generation_of(w) : NULL;
    if (!g)
        return r < 0 ? r : w->err->code;
    r = chain_block(w, &g->blocks);
    w->block = block;
    if (r == 0 && block.head.type == CT_BLOCK_GENERATION)
        r = note_block(w, g);
    if (r == 0 && row->end_offset && (r = ct_trace_block(segment, row->end_offset, &w->block, w->err)) == 0)
        r = note_block(w, g);
    g->recovered |= (row->flags & CT_BLOCK_RECOVERED) != 0;
    w->input->ending.recovered |= g->recovered;
    return r;
}

/* A generation whose start or end the directory does not know: only its blocks tell how long it lasted. */
static int walk_generation(struct ct_walk *w, struct ct_generation_index *g)
{
    int r = 0;

    for (uint32_t i = g->blocks.first; r == 0 && i != CT_EXTENT_NONE; i = w->input->extents.items[i].next) {
        const struct ct_extent *extent = &w->input->extents.items[i];

        for (uint64_t at = extent->from; r == 0 && at < extent->to; at += sizeof w->block.head + w->block.head.size) {
            r = ct_trace_block(&w->input->segments[extent->segment], at, &w->block, w->err);
            if (r == 0)
                r = note_block(w, g);
        }
    }
    return r;
}

static int walk_open_generations(struct ct_walk *w)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < w->trace->programs.count; i++) {
        struct ct_program *program = w->trace->programs.items[i];
        size_t count = &w->trace->inputs.items[program->pub.input] == w->input ? program->generations.count : 0;

        for (size_t k = 0; r == 0 && k < count; k++)
            if (!program->generations.items[k].has_start || !program->generations.items[k].has_end)
                r = walk_generation(w, &program->generations.items[k]);
    }
    return r;
}

int ct_walk_blocks(struct ct_walk *w, uint64_t *at, uint64_t end)
{
    struct ct_trace_segment *segment = &w->input->segments[w->segment];
    uint64_t forgotten = *at;
    int r = 0;

    while (r == 0 && *at < end) {
        r = ct_trace_block(segment, *at, &w->block, w->err);
        if (r == 0)
            r = take_block(w);
        if (r == 0)
            *at += sizeof w->block.head + w->block.head.size;
        if (*at - forgotten >= FORGET_STEP) {
            ct_read_source_forget(&segment->source, forgotten, *at);
            forgotten = *at;
        }
    }
    return r;
}

int ct_walk_rows(struct ct_walk *w, uint64_t *at)
{
    struct ct_trace_segment *segment = &w->input->segments[w->segment];
    struct ct_read_directory directory = { 0 };
    int r = 0;

    w->input->by_directory = w->segment == 0 && ct_read_directory_find(segment, &directory);
    for (size_t i = 0; r == 0 && w->input->by_directory && i < directory.rows.count; i++) {
        const struct ct_directory_row *row = &directory.rows.items[i];

        if (row->generation == 0) {
            r = ct_walk_blocks(w, at, row->offset + row->size);
        } else {
            r = take_row(w, segment, row);
            *at = r == 0 ? row->offset + row->size : row->offset;
        }
    }
    ct_list_fini(&directory.rows);
    return r == 0 && w->input->by_directory ? walk_open_generations(w) : r;
}
