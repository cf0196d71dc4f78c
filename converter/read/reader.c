/* The timeline: generations are loaded when their time comes, their streams merged, and dropped when they are empty. */
#include "converter/read/reader.h"

#include <stdlib.h>
#include <string.h>

#include "converter/read/agenda.h"
#include "converter/read/ahead.h"
#include "converter/read/generation.h"
#include "converter/read/merge.h"
#include "converter/read/pages.h"

enum { LOADED_MAX = 4 };                /* generations of one program at once; more overlap in hostile files only */

struct ct_reader {
    struct ct_trace trace;
    struct ct_reader_options options;
    int64_t from_ns, to_ns;
    bool warm;
    struct ct_merge merge;
    struct ct_loaded *retired;          /* generations nobody needs after this call */
    struct ct_agenda agenda;            /* what is to be done that is not an event */
    int64_t next_ns;                    /* when the first of it is due */
    int64_t last_ns;
    struct ct_read_item item;           /* GENERATION and PROGRAM_END */
    struct ct_read_ahead *ahead;        /* the second thread; NULL without */
    const struct ct_read_item *run;     /* handed out last, by ct_reader_next one by one */
    size_t run_taken, run_count;
    struct ct_read_item items[CT_READ_RUN];     /* without a second thread: where runs are made */
};

struct ct_trace *ct_reader_trace(struct ct_reader *reader)
{
    return &reader->trace;
}

static int64_t generation_ns(const struct ct_program *program, const struct ct_generation_index *g)
{
    uint64_t ticks = g->first_ticks;

    /* the pause ends at the clock's reading; events may come from its beginning on */
    if (g->has_start)
        ticks = g->start.clock.ticks - (g->start.pause_ticks < g->start.clock.ticks ? g->start.pause_ticks : 0);
    return ticks == UINT64_MAX ? program->pub.start_ns : ct_read_clock_ns(&program->clock, ticks) + program->shift_ns;
}

/* When it is over for certain: when the next begins. */
static int64_t generation_end_ns(const struct ct_program *program, size_t place)
{
    const struct ct_generation_index *g = &program->generations.items[place];
    int64_t end = g->has_end ? ct_read_clock_ns(&program->clock, g->end.clock.ticks) + program->shift_ns : INT64_MIN;

    if (place + 1 < program->generations.count) {
        int64_t next = generation_ns(program, g + 1);

        return next > end ? next : end;
    }
    return g->has_end ? program->known_end_ns + 1 : INT64_MAX;
}

/* Finds out what the program does next, apart from its events. */
static void schedule(struct ct_program *program)
{
    program->next_ns = INT64_MAX;
    if (program->next_generation < program->ready) {
        if (program->loaded < LOADED_MAX)
            program->next_ns = generation_ns(program, &program->generations.items[program->next_generation]);
        if (program->loaded == 0 && program->next_ns == INT64_MAX)
            program->next_ns--;
    } else if (program->loaded == 0 && program->over && !program->ended) {
        program->next_ns = program->known_end_ns;
    }
}

/* When events have to wait: for what is to be done before them, or for what is not known yet. */
static void look_ahead(struct ct_reader *reader)
{
    int64_t next = reader->agenda.heap.count ? reader->agenda.heap.items[0]->next_ns : INT64_MAX;

    reader->next_ns = next < reader->trace.horizon_ns ? next : reader->trace.horizon_ns;
}

/* The same when it is on the agenda already. */
static void reschedule(struct ct_reader *reader, struct ct_program *program)
{
    schedule(program);
    ct_agenda_moved(&reader->agenda, program);
    look_ahead(reader);
}

/* Programs from number `first` on. */
static int fill_agenda(struct ct_reader *reader, size_t first)
{
    struct ct_trace *trace = &reader->trace;
    int r = 0;

    for (size_t i = first; r == 0 && i < trace->programs.count; i++) {
        schedule(trace->programs.items[i]);
        r = ct_agenda_add(&reader->agenda, trace->programs.items[i]);
    }
    look_ahead(reader);
    return r;
}

int ct_reader_extend(struct ct_reader *reader, const struct ct_read_input *inputs, size_t count, bool last,
                     struct ct_error *err)
{
    size_t known = reader->agenda.heap.count;
    int r = ct_trace_extend(&reader->trace, reader, inputs, count, last, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < known; i++)
        reschedule(reader, reader->trace.programs.items[i]);
    return fill_agenda(reader, known) < 0 ? ct_error_at(err, -ENOMEM, 0, "out of memory") : 0;
}

int ct_reader_take_names(struct ct_reader *reader, const struct ct_read_names *names, struct ct_error *err)
{
    return ct_trace_names(&reader->trace, names, err);
}

int64_t ct_reader_known_ns(const struct ct_reader *reader)
{
    return reader->trace.horizon_ns < reader->trace.end_ns ? reader->trace.horizon_ns : reader->trace.end_ns;
}

uint64_t ct_reader_bytes(const struct ct_reader *reader, unsigned input)
{
    const struct ct_trace_input *in = input < reader->trace.inputs.count ? &reader->trace.inputs.items[input] : NULL;
    uint64_t bytes = 0;

    for (unsigned i = 0; in && i < in->segment_count && (i == 0 || in->segments[i].source.growing); i++)
        bytes += in->segments[i].source.size;
    return bytes;
}

bool ct_reader_begun(const struct ct_reader *reader)
{
    for (size_t i = 0; i < reader->trace.programs.count; i++)
        if (reader->trace.programs.items[i]->ready > 0 || reader->trace.programs.items[i]->whole > 0)
            return true;
    return false;
}

int ct_reader_open(const struct ct_read_input *inputs, size_t count, const struct ct_reader_options *options,
                   struct ct_reader **ret, struct ct_error *err)
{
    struct ct_reader *reader = ct_pages_new(sizeof *reader);
    struct ct_error spare, told;
    int r = reader ? 0 : -ENOMEM;

    err = err ? err : &spare;
    if (!reader)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    reader->options = options ? *options : (struct ct_reader_options){ 0 };
    reader->trace.inflate_max = reader->options.inflate_max;
    reader->trace.shifts = reader->options.shifts;
    reader->trace.shift_count = reader->options.shift_count;
    reader->trace.follow = reader->options.follow;
    reader->from_ns = INT64_MIN;
    reader->to_ns = INT64_MAX;
    reader->last_ns = INT64_MIN;
    ct_read_items_init(reader->items);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ct_trace_add(&reader->trace, &inputs[i], &told);
        if (r < 0)
            ct_error_fill(err, told.code, told.offset, "%.70s: %s", inputs[i].path ? inputs[i].path : "-", told.text);
    }
    for (size_t i = 0; r == 0 && i < reader->trace.programs.count; i++)
        reader->trace.programs.items[i]->reader = reader;
    if (r == 0)
        r = ct_trace_ready(&reader->trace, err);
    if (r == 0 && reader->trace.follow)
        r = ct_trace_extend(&reader->trace, reader, inputs, count, false, err);
    if (r == 0 && fill_agenda(reader, 0) < 0)
        r = ct_error_at(err, -ENOMEM, 0, "out of memory");
    if (r < 0) {
        ct_reader_close(reader);
        return r;
    }
    *ret = reader;
    return 0;
}

static void free_retired(struct ct_reader *reader)
{
    while (reader->retired) {
        struct ct_loaded *next = reader->retired->next;

        ct_loaded_free(reader->retired);
        reader->retired = next;
    }
}

static void retire(struct ct_reader *reader, struct ct_loaded *loaded)
{
    loaded->next = reader->retired;
    reader->retired = loaded;
}

/* Takes the first stream out of the merge, and its generation when it was the last one of it. */
static void drop_first(struct ct_reader *reader)
{
    struct ct_loaded *loaded = ct_merge_first(&reader->merge)->loaded;

    ct_merge_drop(&reader->merge);
    if (--loaded->live)
        return;
    loaded->program->loaded--;
    retire(reader, loaded);
    reschedule(reader, loaded->program);
}

static void stop_at_range(struct ct_reader *reader)
{
    if (ct_merge_ready(&reader->merge) < 0)
        return;
    while (reader->merge.live)
        drop_first(reader);
}

void ct_reader_close(struct ct_reader *reader)
{
    if (!reader)
        return;
    ct_read_ahead_free(reader->ahead);
    stop_at_range(reader);
    free_retired(reader);
    ct_merge_fini(&reader->merge);
    ct_list_fini(&reader->agenda.heap);
    ct_trace_fini(&reader->trace);
    ct_pages_free(reader, sizeof *reader);
}

void ct_reader_set_range(struct ct_reader *reader, int64_t from_ns, int64_t to_ns, bool warm)
{
    reader->from_ns = from_ns;
    reader->to_ns = to_ns;
    reader->warm = warm;
}

static int start_streams(struct ct_reader *reader, struct ct_loaded *loaded, struct ct_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < loaded->streams.count; i++) {
        struct ct_stream *stream = &loaded->streams.items[i];

        if (!ct_stream_start(stream))
            continue;
        r = ct_merge_add(&reader->merge, stream);
        loaded->live += r == 0;
    }
    if (r == 0)
        r = ct_merge_ready(&reader->merge);
    return r < 0 ? ct_error_at(err, r, 0, "out of memory") : 0;
}

static int hand_out(struct ct_reader *reader, enum ct_read_kind kind, struct ct_program *program,
                    const struct ct_read_generation *generation, const struct ct_read_item **ret)
{
    if (reader->next_ns > reader->last_ns && reader->next_ns < INT64_MAX - 1)
        reader->last_ns = reader->next_ns;
    reader->item.kind = kind;
    reader->item.ns = reader->last_ns;
    reader->item.program = &program->pub;
    reader->item.generation = generation;
    *ret = &reader->item;
    return 1;
}

/* The next generation of a program: 1 with its item, CT_READER_AGAIN when it lies outside of the range. */
static int next_generation(struct ct_reader *reader, struct ct_program *program, const struct ct_read_item **ret,
                           struct ct_error *err)
{
    size_t place = program->next_generation++;
    struct ct_loaded *loaded;
    int r;

    if (reader->next_ns >= reader->to_ns)
        program->next_generation = program->generations.count;
    if (reader->next_ns >= reader->to_ns || generation_end_ns(program, place) <= reader->from_ns) {
        reschedule(reader, program);
        return CT_READER_AGAIN;
    }
    r = ct_loaded_new(program, &program->generations.items[place], reader->options.tables_only, &loaded, err);
    if (r < 0)
        return r;
    r = start_streams(reader, loaded, err);
    hand_out(reader, CT_READ_GENERATION, program, &loaded->pub, ret);
    if (loaded->live)
        program->loaded++;
    else
        retire(reader, loaded);
    reschedule(reader, program);
    return r < 0 ? r : 1;
}

static int program_ends(struct ct_reader *reader, struct ct_program *program, const struct ct_read_item **ret)
{
    if (reader->next_ns > reader->to_ns)
        reader->next_ns = reader->to_ns;
    hand_out(reader, CT_READ_PROGRAM_END, program, NULL, ret);
    program->ended = true;
    reschedule(reader, program);
    return 1;
}

/* After everything: what is to be said of damage. */
static int last_word(struct ct_reader *reader, struct ct_error *err)
{
    for (size_t i = 0; i < reader->trace.inputs.count; i++) {
        struct ct_trace_input *in = &reader->trace.inputs.items[i];

        ct_trace_vanished(in);
        if (in->ending.damage)
            return ct_error_at(err, in->ending.damage, in->ending.error.offset, "%.70s: %s", in->name,
                               in->ending.error.text);
    }
    return 0;
}

/* The same without a second thread. */
static int one_by_one(struct ct_reader *reader, const struct ct_read_item **ret, size_t *ret_count, struct ct_error *err)
{
    for (;;) {
        unsigned count = ct_reader_take_events(reader, reader->items);
        int r;

        *ret = reader->items;
        *ret_count = count;
        if (count)
            return 1;
        *ret_count = 1;
        r = ct_reader_take_other(reader, ret, err);
        if (r != CT_READER_AGAIN)
            return r;
    }
}

void ct_read_items_init(struct ct_read_item *items)
{
    memset(items, 0, CT_READ_RUN * sizeof *items);
    for (unsigned i = 0; i < CT_READ_RUN; i++)
        items[i].kind = CT_READ_EVENT;
}

/* Times do not run backwards, and what lies before the range is not shown: whether the event is to be seen. */
static inline bool fit_to_be_seen(struct ct_reader *reader, struct ct_read_item *item, int64_t ns)
{
    if (__builtin_expect(ns < reader->last_ns, 0)) {
        uint64_t by = (uint64_t)reader->last_ns - (uint64_t)ns;

        if (by > reader->trace.oddities.raised_ns)
            reader->trace.oddities.raised_ns = by;
        ns = reader->last_ns;
        reader->trace.oddities.disordered++;
    }
    item->ns = ns;
    if (__builtin_expect(ns < reader->from_ns, 0) && !reader->warm)
        return false;
    reader->last_ns = ns;
    return true;
}

unsigned ct_reader_take_events(struct ct_reader *reader, struct ct_read_item *items)
{
    struct ct_merge *merge = &reader->merge;
    unsigned count = 0;

    while (count < CT_READ_RUN && merge->live) {
        struct ct_stream *stream = ct_merge_first(merge);
        int64_t ns = ct_merge_ns(merge);
        unsigned taken;

        if (__builtin_expect(ns >= reader->next_ns, 0))
            break;
        if (__builtin_expect(ns >= reader->to_ns, 0)) {
            stop_at_range(reader);
            break;
        }
        taken = ct_stream_take(stream, &items[count]);
        if (__builtin_expect(taken & CT_STREAM_TAKEN, 1) && fit_to_be_seen(reader, &items[count], ns))
            count++;
        if (__builtin_expect(taken & CT_STREAM_MORE, 1))
            ct_merge_moved(merge, stream->ns);
        else
            drop_first(reader);
    }
    return count;
}

int ct_reader_take_other(struct ct_reader *reader, const struct ct_read_item **ret, struct ct_error *err)
{
    struct ct_program *program = ct_agenda_first(&reader->agenda);

    free_retired(reader);
    if (!program || program->next_ns > reader->trace.horizon_ns)
        return last_word(reader, err);
    if (program->next_generation < program->ready)
        return next_generation(reader, program, ret, err);
    return program_ends(reader, program, ret);
}

/* A program lasts as long as it has events; times do not run backwards, so of a single one the last tells. */
static void note_ends(struct ct_reader *reader, const struct ct_read_item *items, size_t count)
{
    for (size_t i = reader->trace.programs.count > 1 ? 0 : count - 1; i < count; i++) {
        struct ct_read_program *program = ct_read_program_of(&items[i]);

        if (__builtin_expect(items[i].ns > program->end_ns, 0))
            program->end_ns = items[i].ns;
    }
}

struct ct_second *ct_reader_second(struct ct_reader *reader)
{
    if (reader->options.ahead && !reader->ahead && !reader->options.tables_only)
        reader->options.ahead = ct_read_ahead_new(reader, &reader->ahead) == 0;
    return reader->ahead ? ct_read_ahead_second(reader->ahead) : NULL;
}

int ct_reader_next_run(struct ct_reader *reader, const struct ct_read_item **ret, size_t *ret_count, struct ct_error *err)
{
    struct ct_error spare;
    int r;

    err = err ? err : &spare;
    ct_reader_second(reader);
    r = reader->ahead ? ct_read_ahead_next(reader->ahead, ret, ret_count, err) : one_by_one(reader, ret, ret_count, err);
    if (r > 0)
        note_ends(reader, *ret, *ret_count);
    return r;
}

int ct_reader_next(struct ct_reader *reader, const struct ct_read_item **ret, struct ct_error *err)
{
    if (reader->run_taken == reader->run_count) {
        int r = ct_reader_next_run(reader, &reader->run, &reader->run_count, err);

        reader->run_taken = 0;
        if (r <= 0) {
            reader->run_count = 0;
            return r;
        }
    }
    *ret = &reader->run[reader->run_taken++];
    return 1;
}
