/* What files got since the last look, for those who follow one that is still being written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/read/growing.h"
#include "converter/read/walk.h"

/* A program that says nothing for so long is not waited for: what it says later is shown at the time that was reached. */
#define LAG_NS INT64_C(3000000000)

/* --- blocks --- */

/* Places of generations and programs may have changed since the last walk. */
static int remember(struct ct_trace *trace, struct ct_trace_input *in, unsigned number)
{
    int r = 0;

    ct_idmap_clear(&in->program_places);
    for (size_t i = 0; r != -ENOMEM && i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];
        uint64_t key;

        if (program->pub.input != number)
            continue;
        memcpy(&key, program->pub.run.arena_id, sizeof key);
        if (program->pub.run.program.at)
            r = ct_idmap_add(&in->program_places, key, (uint32_t)i);
        ct_idmap_clear(&program->generation_places);
        for (size_t k = 0; r != -ENOMEM && k < program->generations.count; k++)
            r = ct_idmap_add(&program->generation_places, program->generations.items[k].number, (uint32_t)k);
    }
    return r == -ENOMEM ? r : 0;        /* what stands there twice is there */
}

static void judge(struct ct_trace_input *in)
{
    in->ending.complete = in->program && in->program->pub.has_end && in->ending.error.code == 0;
    if (!in->ending.complete && in->ending.error.code == 0)
        ct_error_fill(&in->ending.error, -ENODATA, in->ending.cut_offset, "the trace has no end");
}

/* The walk goes on where it stopped; a block that is not whole yet stops it again. */
static int walk_on(struct ct_walk *w, uint64_t at)
{
    struct ct_trace_segment *segment = &w->input->segments[w->segment];
    int r;

    w->input->ending.error = (struct ct_error){ 0 };
    segment->limit = segment->source.size;
    r = ct_walk_blocks(w, &at, segment->source.size);
    if (r == -ENOMEM)
        return r;
    segment->limit = w->input->ending.cut_offset = at;
    if (r == -ENODATA && w->err->offset == at) {
        w->input->ending.error = *w->err;
    } else if (r < 0) {
        w->err->offset = at;
        ct_trace_damage(w->input, w->segment, w->err);
    }
    return 0;
}

/* What the newest file of an input got. */
static int look_at_file(struct ct_walk *w, unsigned number)
{
    struct ct_trace_segment *segment = &w->input->segments[w->segment];
    struct ct_error told;
    int r = 0;

    if (segment->source.growing && (r = ct_growing_look(&segment->source, &told)) < 0)
        return ct_error_at(w->err, r, told.offset, "%.70s %s", w->input->name, told.text);
    if (segment->source.size > segment->limit)
        r = remember(w->trace, w->input, number);
    return r == 0 && segment->source.size > segment->limit ? walk_on(w, segment->limit) : r;
}

/* A ring went on in another file: the one before has all that it will have. */
static int look_at_next(struct ct_walk *w, unsigned number, const struct ct_read_input *input)
{
    struct ct_trace_segment *next = &w->input->segments[w->input->segment_count];
    int r;

    if (input->rolled - w->input->rolled != w->input->segment_count || w->input->segment_count > CT_READ_ROLLS_MAX)
        return ct_error_at(w->err, -ESTALE, 0, "%.70s went on in files that are gone", w->input->name);
    r = ct_growing_open(NULL, input->fd, &next->source, w->err);
    if (r < 0)
        return r;
    next->limit = sizeof(struct ct_file_head);
    w->segment = w->input->segment_count++;
    return look_at_file(w, number);
}

static int look_at(struct ct_trace *trace, unsigned number, const struct ct_read_input *input, bool last, struct ct_error *err)
{
    struct ct_trace_input *in = &trace->inputs.items[number];
    struct ct_walk w = { .trace = trace, .input = in, .err = err, .segment = in->segment_count - 1 };
    int r;

    if (in->ending.damage)
        return 0;
    r = look_at_file(&w, number);
    if (r == 0 && input->rolled - in->rolled >= in->segment_count)
        r = look_at_next(&w, number, input);
    if (r == 0 && last && input->tail_size && (r = remember(trace, in, number)) == 0) {
        w.segment = in->segment_count++;
        in->segments[w.segment].source = (struct ct_read_source){ .bytes = input->tail, .size = input->tail_size };
        r = ct_walk_segment(&w) == -ENOMEM ? -ENOMEM : 0;
        if (input->rolled && in->program && in->program->pub.has_end)
            in->ending.error = (struct ct_error){ 0 };      /* files of a ring have none: it comes with the last of them */
    }
    if (r == -ENOMEM)
        return ct_error_at(err, r, 0, "out of memory");
    judge(in);
    return r;
}

/* --- programs --- */

static int by_number(const void *a, const void *b)
{
    const struct ct_generation_index *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static bool is_same(struct ct_text a, struct ct_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* A program that was placed and ran since the same start of the machine, under the same name of it if there is one; NULL: none. */
static const struct ct_program *neighbour(const struct ct_trace *trace, const struct ct_program *of)
{
    const struct ct_program *found = NULL;

    for (size_t i = 0; i < trace->programs.count; i++) {
        const struct ct_program *program = trace->programs.items[i];

        if (!program->placed || !ct_program_same_clock(program, of))
            continue;
        if (is_same(program->pub.run.host, of->pub.run.host))
            return program;
        found = found ? found : program;
    }
    return found;
}

static int add_shift(struct ct_trace *trace, struct ct_program *program, enum ct_read_shift_how how)
{
    struct ct_read_shift **place, *shift;

    if (ct_program_shift(trace, program) || program->pub.run.host.size == 0)
        return 0;
    shift = malloc(sizeof *shift);
    place = shift ? ct_list_add(&trace->own_shifts) : NULL;
    if (!place) {
        free(shift);
        return -ENOMEM;
    }
    *shift = (struct ct_read_shift){ .host = program->pub.run.host, .how = how };
    *place = shift;
    return 0;
}

/* With the second machine of which nobody spoke the first has a name as well. */
static int tell_machines_apart(struct ct_trace *trace, struct ct_program *fresh)
{
    struct ct_text host = fresh->pub.run.host;
    bool several = trace->shift_count > 0 || trace->own_shifts.count > 0;
    int r = 0;

    for (size_t i = 0; r == 0 && host.size && i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];
        struct ct_text other = program->pub.run.host;

        if (!program->placed || other.size == 0 || (other.size == host.size && memcmp(other.at, host.at, host.size) == 0))
            continue;
        r = add_shift(trace, program, several ? CT_READ_SHIFT_NONE : CT_READ_SHIFT_FIRST);
        program->pub.shift = ct_program_shift(trace, program);
        several = true;
    }
    return r == 0 && several ? add_shift(trace, fresh, CT_READ_SHIFT_NONE) : r;
}

/* Brings a program that came later to the time that the others have. */
static int place(struct ct_trace *trace, struct ct_program *program)
{
    const struct ct_program *near = neighbour(trace, program);
    bool same_host = near && is_same(near->pub.run.host, program->pub.run.host);

    if (!same_host && tell_machines_apart(trace, program) < 0)
        return -ENOMEM;
    ct_program_span(program);
    program->pub.shift = same_host ? near->pub.shift : ct_program_shift(trace, program);
    program->shift_ns = program->clock.realtime_offset_ns - trace->realtime_ns - trace->first_shift_ns;
    if (near)                           /* one kernel, whose clock two containers share */
        program->shift_ns = near->shift_ns - (near->pub.shift ? near->pub.shift->ns : 0);
    program->shift_ns += program->pub.shift ? program->pub.shift->ns : 0;
    program->pub.realtime_offset_ns = program->clock.realtime_offset_ns - program->shift_ns;
    program->pub.start_ns += program->shift_ns;
    program->pub.end_ns += program->shift_ns;
    program->placed = true;
    return 0;
}

/* Generations that are over: what was late for them has come by the look after. */
static void count_ready(struct ct_program *program, bool last)
{
    size_t whole = program->whole;

    while (whole < program->generations.count && program->generations.items[whole].has_end)
        whole++;
    program->over = last || program->pub.has_end;
    program->ready = program->over ? program->generations.count : program->whole;
    program->whole = whole;
}

/* How far it is known to have come. */
static int64_t reached(const struct ct_program *program)
{
    const struct ct_generation_index *g = program->generations.items;
    uint64_t ticks = 0;

    if (program->ready == 0)
        return program->pub.start_ns;
    for (size_t i = program->ready; i-- > 0 && ticks == 0;)
        ticks = g[i].has_end ? g[i].end.clock.ticks : g[i].first_ticks <= g[i].last_ticks ? g[i].last_ticks : g[i].start.clock.ticks;
    return ct_read_clock_ns(&program->clock, ticks) + program->shift_ns;
}

static int look_at_program(struct ct_trace *trace, struct ct_program *program, bool last, struct ct_error *err)
{
    size_t from = program->next_generation;

    if (program->ended)
        return 0;
    if (program->generations.count > from)
        qsort(program->generations.items + from, program->generations.count - from, sizeof *program->generations.items, by_number);
    count_ready(program, last);
    if (program->generations.count > 0 && ct_program_clock(program) < 0)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    program->pub.realtime_offset_ns = program->clock.realtime_offset_ns - (program->placed ? program->shift_ns : 0);
    if (!program->placed && program->generations.count > 0 && place(trace, program) < 0)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    if (program->placed && program->ready > 0) {
        int64_t end = reached(program);

        program->known_end_ns = end > program->pub.start_ns ? end : program->pub.start_ns;
    } else {
        program->known_end_ns = program->pub.start_ns;
    }
    return 0;
}

/* Up to when all programs have told everything; and the end of that, which does not go back when a new one begins. */
static int64_t horizon(struct ct_trace *trace, bool last)
{
    int64_t least = INT64_MAX, most = INT64_MIN;

    for (size_t i = 0; i < trace->programs.count; i++) {
        const struct ct_program *program = trace->programs.items[i];
        int64_t ns = program->known_end_ns;

        if (!program->placed)
            continue;
        if (ns > most)
            most = ns;
        if (!program->over && ns < least)
            least = ns;
    }
    if (least < INT64_MAX && most - least > LAG_NS)
        least = most - LAG_NS;
    if (last)
        least = INT64_MAX;
    if (most > least)
        most = least;
    if (most > trace->end_ns)
        trace->end_ns = most;
    return least;
}

int ct_trace_extend(struct ct_trace *trace, struct ct_reader *reader, const struct ct_read_input *inputs, size_t count,
                    bool last, struct ct_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        unsigned segment = i < trace->inputs.count ? trace->inputs.items[i].segment_count - 1 : 0;
        uint64_t from = i < trace->inputs.count ? trace->inputs.items[i].segments[segment].limit : 0;

        r = i < trace->inputs.count ? look_at(trace, (unsigned)i, &inputs[i], last, err) : ct_trace_add(trace, &inputs[i], err);
        for (size_t k = 0; r == 0 && k < trace->programs.count; k++) {
            struct ct_program *program = trace->programs.items[k];

            if (program->pub.input != i)
                continue;
            r = program->reader ? 0 : ct_program_schema(trace, program);
            if (r == 0)
                r = ct_program_tables(trace, program, segment, from, err);
            program->reader = reader;
            program->pub.index = (unsigned)k;
        }
    }
    for (size_t i = 0; r == 0 && i < trace->programs.count; i++)
        r = look_at_program(trace, trace->programs.items[i], last, err);
    trace->horizon_ns = horizon(trace, last);
    return r;
}

/* --- names --- */

static struct ct_program *find_program(const struct ct_trace *trace, unsigned input, const uint8_t id[CT_UUID_SIZE])
{
    for (size_t i = 0; i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];

        if (program->pub.input == input && memcmp(program->pub.run.arena_id, id, CT_UUID_SIZE) == 0)
            return program;
    }
    return NULL;
}

int ct_trace_names(struct ct_trace *trace, const struct ct_read_names *names, struct ct_error *err)
{
    const struct ct_trace_segment segment = { { .bytes = names->blocks, .size = names->size }, names->size };
    struct ct_program *program = find_program(trace, names->input, names->arena_id);
    int r = 0;

    for (uint64_t at = 0; r == 0 && program && at < names->size;) {
        struct ct_block block;

        r = ct_trace_block(&segment, at, &block, err);
        if (r == 0)
            r = ct_block_check(&block, err);
        if (r < 0)
            return r;
        at += sizeof block.head + block.head.size;
        if (block.head.type == CT_BLOCK_SYMBOLS)
            r = ct_program_symbols(program, block.payload, err);
    }
    return r;
}
