/* The inputs as a whole: one clock for all, programs in order of their start, and what belongs to no generation. */
#include "converter/read/trace.h"

#include <stdio.h>
#include <string.h>

struct ct_read_thread *ct_program_thread(struct ct_program *program, uint64_t serial)
{
    uint32_t place = ct_idmap_get(&program->thread_places, serial);
    struct ct_trace *trace = ct_reader_trace(program->reader);
    struct ct_read_thread *thread, **of_program, **of_trace;

    if (place != CT_IDMAP_NONE)
        return program->threads.items[place];
    thread = calloc(1, sizeof *thread);
    of_program = thread ? ct_list_add(&program->threads) : NULL;
    if (!of_program || ct_idmap_add(&program->thread_places, serial, (uint32_t)program->threads.count - 1) < 0) {
        program->threads.count -= of_program != NULL;
        free(thread);
        return NULL;
    }
    *of_program = thread;
    *thread = (struct ct_read_thread){ .program = &program->pub, .index = (unsigned)trace->threads.count,
                                       .serial = serial, .start_ns = CT_READ_NEVER, .exit_ns = CT_READ_NEVER };
    of_trace = ct_list_add(&trace->threads);
    if (of_trace)
        *of_trace = thread;
    return of_trace ? thread : NULL;        /* without memory the program still owns it */
}

int64_t ct_program_ns(const struct ct_program *program, uint64_t ticks)
{
    return ticks ? ct_read_clock_ns(&program->clock, ticks) + program->shift_ns : CT_READ_NEVER;
}

static uint64_t hash_bytes(const uint8_t *p, size_t size)
{
    uint64_t h = ct_idmap_seed;

    while (size--)
        h = (h ^ *p++) * 0x100000001b3u;
    return h;
}

int ct_program_modules(struct ct_program *program, struct ct_cursor payload, struct ct_error *err)
{
    while (ct_cursor_left(&payload)) {
        const uint8_t *at = payload.at;
        uint64_t offset = ct_cursor_offset(&payload);
        struct ct_read_module *module;
        struct ct_module_row row;
        int r = ct_module_row_get(&payload, &row, err);

        if (r < 0)
            return r;
        r = ct_idmap_add(&program->module_places, hash_bytes(at, (size_t)(payload.at - at)),
                         (uint32_t)program->modules.count);
        if (r == -EEXIST)
            continue;
        if (program->modules.count >= CT_READ_MODULES_MAX)
            return ct_error_at(err, -EINVAL, offset, "more than %d modules", CT_READ_MODULES_MAX);
        module = r == 0 ? ct_list_add(&program->modules) : NULL;
        if (!module)
            return ct_error_at(err, -ENOMEM, offset, "out of memory");
        *module = (struct ct_read_module){ row };
        program->pub.modules = program->modules.items;
        program->pub.module_count = program->modules.count;
    }
    return 0;
}

/* Rows of one pc stand together; when the same pc comes again, what came first stays. */
int ct_program_symbols(struct ct_program *program, struct ct_cursor payload, struct ct_error *err)
{
    bool inner = false, known = false;
    uint64_t pc = 0;

    while (ct_cursor_left(&payload)) {
        uint64_t offset = ct_cursor_offset(&payload);
        struct ct_read_frame *frame;
        struct ct_symbol_row row;
        int r = ct_symbol_row_get(&payload, &row, err);

        if (r < 0)
            return r;
        if (!inner || row.pc != pc) {
            if (inner && !known)
                program->frames.items[program->frames.count - 1].inlined = false;   /* its outermost row is missing */
            pc = row.pc;
            r = ct_idmap_add(&program->frame_places, pc, (uint32_t)program->frames.count);
            known = r == -EEXIST;
        }
        inner = row.inlined != 0;
        if (known)
            continue;
        frame = r == -ENOMEM ? NULL : ct_list_add(&program->frames);
        if (!frame)
            return ct_error_at(err, -ENOMEM, offset, "out of memory");
        *frame = (struct ct_read_frame){ row.function, row.file, row.module, row.line, inner, pc };
    }
    if (inner && !known)
        program->frames.items[program->frames.count - 1].inlined = false;
    program->pub.frames = program->frames.items;
    program->pub.frame_count = program->frames.count;
    return 0;
}

/* Modules and names that are given once for the whole program. */
int ct_program_tables(struct ct_trace *trace, struct ct_program *program, unsigned from_segment, uint64_t from, struct ct_error *err)
{
    struct ct_trace_input *in = &trace->inputs.items[program->pub.input];
    int r = 0;

    for (uint32_t i = program->tables.first; r == 0 && i != CT_EXTENT_NONE; i = in->extents.items[i].next) {
        const struct ct_extent *extent = &in->extents.items[i];
        const struct ct_trace_segment *segment = &in->segments[extent->segment];
        struct ct_block block;

        if (extent->segment < from_segment || (extent->segment == from_segment && extent->to <= from))
            continue;
        for (uint64_t at = extent->from; r == 0 && at < extent->to && at < segment->limit;
             at += sizeof block.head + block.head.size) {
            r = ct_trace_block(segment, at, &block, err);
            if (r == 0 && (extent->segment > from_segment || at >= from) &&
                (block.head.type == CT_BLOCK_MODULES || block.head.type == CT_BLOCK_SYMBOLS)) {
                r = ct_block_check(&block, err);
                if (r == 0 && block.head.type == CT_BLOCK_MODULES)
                    r = ct_program_modules(program, block.payload, err);
                else if (r == 0)
                    r = ct_program_symbols(program, block.payload, err);
            }
            if (r < 0 && r != -ENOMEM) {
                err->offset = at;
                ct_trace_damage(in, extent->segment, err);
            }
        }
    }
    return r == -ENOMEM ? r : 0;
}

static int by_number(const void *a, const void *b)
{
    const struct ct_generation_index *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

int ct_program_clock(struct ct_program *program)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < program->generations.count; i++) {
        const struct ct_generation_index *g = &program->generations.items[i];

        if (g->has_start)
            r = ct_read_clock_add(&program->clock, &g->start.clock);
        if (r == 0 && g->has_end)
            r = ct_read_clock_add(&program->clock, &g->end.clock);
    }
    ct_read_clock_ready(&program->clock, program->pub.run.ticks_per_second);
    program->pub.realtime_offset_ns = program->clock.realtime_offset_ns;
    return r;
}

/* From its start to the last moment that is certain: a generation without an end lasts at least to its last batch. */
void ct_program_span(struct ct_program *program)
{
    const struct ct_generation_index *g = program->generations.items;
    size_t count = program->generations.count;
    uint64_t first = 0, last = 0;

    if (count == 0)
        return;
    if (g->has_start)
        first = g->start.clock.ticks - (g->start.pause_ticks < g->start.clock.ticks ? g->start.pause_ticks : 0);
    else if (g->first_ticks <= g->last_ticks)
        first = g->first_ticks;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = g[i].has_end ? g[i].end.clock.ticks : g[i].last_ticks;

        if (g[i].has_start && end < g[i].start.clock.ticks)
            end = g[i].start.clock.ticks;
        if (end > last)
            last = end;
    }
    program->pub.start_ns = ct_read_clock_ns(&program->clock, first);
    program->pub.end_ns = ct_read_clock_ns(&program->clock, last);
    if (program->pub.end_ns < program->pub.start_ns)
        program->pub.end_ns = program->pub.start_ns;
}

bool ct_program_same_clock(const struct ct_program *a, const struct ct_program *b)
{
    return memcmp(a->pub.run.boot_id, b->pub.run.boot_id, CT_UUID_SIZE) == 0 &&
           (a->clock.realtime_offset_ns == 0) == (b->clock.realtime_offset_ns == 0);
}

static bool one_boot(const struct ct_trace *trace)
{
    const struct ct_program *first = NULL;

    for (size_t i = 0; i < trace->programs.count; i++) {
        const struct ct_program *program = trace->programs.items[i];

        if (program->generations.count == 0)
            continue;
        if (first && !ct_program_same_clock(first, program))
            return false;
        first = program;
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct ct_program *x = *(struct ct_program *const *)a, *y = *(struct ct_program *const *)b;

    if (x->pub.start_ns != y->pub.start_ns)
        return x->pub.start_ns < y->pub.start_ns ? -1 : 1;
    return (x->pub.index > y->pub.index) - (x->pub.index < y->pub.index);
}

static bool is_of(const struct ct_read_shift *shift, struct ct_text host)
{
    return shift->host.size == host.size && (host.size == 0 || memcmp(shift->host.at, host.at, host.size) == 0);
}

const struct ct_read_shift *ct_program_shift(const struct ct_trace *trace, const struct ct_program *program)
{
    for (size_t i = 0; i < trace->shift_count; i++)
        if (is_of(&trace->shifts[i], program->pub.run.host))
            return &trace->shifts[i];
    for (size_t i = 0; i < trace->own_shifts.count; i++)
        if (is_of(trace->own_shifts.items[i], program->pub.run.host))
            return trace->own_shifts.items[i];
    return NULL;
}

/* Brings the programs' clocks together and counts from the earliest of them. */
static void align(struct ct_trace *trace)
{
    bool same_clock = one_boot(trace);
    int64_t start = INT64_MAX, end = INT64_MIN;

    for (size_t i = 0; i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];

        program->shift_ns = same_clock ? 0 : program->clock.realtime_offset_ns;
        program->pub.shift = ct_program_shift(trace, program);
        program->shift_ns += program->pub.shift ? program->pub.shift->ns : 0;
        if (program->generations.count == 0)
            continue;
        if (program->pub.start_ns + program->shift_ns < start) {
            start = program->pub.start_ns + program->shift_ns;
            trace->realtime_ns = program->pub.start_ns + program->clock.realtime_offset_ns;
            trace->first_shift_ns = program->pub.shift ? program->pub.shift->ns : 0;
        }
        if (program->pub.end_ns + program->shift_ns > end)
            end = program->pub.end_ns + program->shift_ns;
    }
    if (start == INT64_MAX)
        start = end = 0;
    trace->start_abs_ns = start;
    trace->end_ns = trace->follow ? 0 : end - start;
    for (size_t i = 0; i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];

        program->shift_ns -= start;
        program->pub.realtime_offset_ns -= program->shift_ns;
        program->pub.start_ns = program->generations.count ? program->pub.start_ns + program->shift_ns : 0;
        program->pub.end_ns = program->generations.count ? program->pub.end_ns + program->shift_ns : 0;
        program->known_end_ns = program->pub.end_ns;
        program->pub.index = (unsigned)i;
    }
    if (trace->programs.count)
        qsort(trace->programs.items, trace->programs.count, sizeof *trace->programs.items, by_start);
    for (size_t i = 0; i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];

        program->pub.index = (unsigned)i;
        program->ready = trace->follow ? 0 : program->generations.count;
        program->over = !trace->follow;
        program->placed = program->generations.count > 0;
    }
    trace->horizon_ns = INT64_MAX;
}

int ct_trace_align(struct ct_trace *trace, struct ct_error *err)
{
    for (size_t i = 0; i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];

        if (program->generations.count)
            qsort(program->generations.items, program->generations.count, sizeof *program->generations.items, by_number);
        ct_idmap_fini(&program->generation_places);
        if (ct_program_clock(program) < 0)
            return ct_error_at(err, -ENOMEM, 0, "out of memory");
        ct_program_span(program);
    }
    align(trace);
    return 0;
}

/* A program without a SCHEMA block has that of another one in its file, or this version's. */
int ct_program_schema(struct ct_trace *trace, struct ct_program *program)
{
    struct ct_trace_input *in = &trace->inputs.items[program->pub.input];

    if (!program->plans && !in->plans) {
        if (ct_read_plans_own(&in->plans) < 0)
            return -ENOMEM;
        in->plans->next = trace->plans;
        trace->plans = in->plans;
    }
    if (!program->plans)
        program->plans = in->plans;
    return 0;
}

int ct_trace_ready(struct ct_trace *trace, struct ct_error *err)
{
    for (size_t i = 0; i < trace->programs.count; i++) {
        struct ct_program *program = trace->programs.items[i];
        int r = ct_program_schema(trace, program);

        r = r < 0 ? ct_error_at(err, r, 0, "out of memory") : ct_program_tables(trace, program, 0, 0, err);
        if (r < 0)
            return r;
    }
    return ct_trace_align(trace, err);
}

static void program_free(struct ct_program *program)
{
    ct_read_clock_fini(&program->clock);
    ct_list_fini(&program->generations);
    ct_idmap_fini(&program->generation_places);
    for (size_t i = 0; i < program->threads.count; i++)
        free(program->threads.items[i]);
    ct_list_fini(&program->threads);
    ct_idmap_fini(&program->thread_places);
    ct_list_fini(&program->modules);
    ct_idmap_fini(&program->module_places);
    ct_list_fini(&program->frames);
    ct_idmap_fini(&program->frame_places);
    free(program);
}

void ct_trace_fini(struct ct_trace *trace)
{
    for (size_t i = 0; i < trace->programs.count; i++)
        program_free(trace->programs.items[i]);
    ct_list_fini(&trace->programs);
    ct_list_fini(&trace->threads);
    for (size_t i = 0; i < trace->own_shifts.count; i++)
        free(trace->own_shifts.items[i]);
    ct_list_fini(&trace->own_shifts);
    while (trace->plans) {
        struct ct_read_plans *next = trace->plans->next;

        ct_read_plans_free(trace->plans);
        trace->plans = next;
    }
    for (size_t i = 0; i < trace->inputs.count; i++) {
        struct ct_trace_input *in = &trace->inputs.items[i];

        for (unsigned s = 0; s < in->segment_count; s++)
            ct_read_source_close(&in->segments[s].source);
        ct_list_fini(&in->extents);
        ct_idmap_fini(&in->program_places);
    }
    ct_list_fini(&trace->inputs);
}
