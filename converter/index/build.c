/*
 * The builder: what the model hands out becomes slices of rows.  Slices of a thread come when they end, inner before outer;
 * those of one depth lie apart and so come in the order of their starts.
 *
 * HOT: one call a slice.  Budget: index.build >= 12.5 M events/s with reader and model on two cores.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "converter/index/builder.h"
#include "converter/index/coder.h"
#include "converter/index/image.h"
#include "converter/index/payload.h"
#include "converter/model/args.h"
#include "format/varint.h"

enum { DEPTH_MAX = 4200 };              /* more than the model nests */

/* --- slices --- */

static __attribute__((noinline)) struct ct_row_live *new_depth(struct ct_builder *b, struct ct_build_thread *t, unsigned depth)
{
    bool near = t->depth == t->near_depth;
    struct ct_row_live **more;

    if (depth >= DEPTH_MAX)
        return NULL;
    if (depth >= CT_NEAR_DEPTHS) {
        more = realloc(near ? NULL : t->depth, (depth + 1) * sizeof *more);
        if (!more) {
            b->no_memory = true;
            return NULL;
        }
        if (near)
            memcpy(more, t->near_depth, sizeof t->near_depth);
        t->depth = more;
    }
    while (t->depths <= depth) {
        t->depth[t->depths] = ct_build_row(b, t->lane, CT_ROW_SLICES, t->depths, "");
        if (!t->depth[t->depths])
            return NULL;
        t->depths++;
    }
    return t->depth[depth];
}

static inline struct ct_row_live *depth_row(struct ct_builder *b, struct ct_build_thread *t, unsigned depth)
{
    return __builtin_expect(depth < t->depths, 1) ? t->depth[depth] : new_depth(b, t, depth);
}

/*
 * A slice ended that nobody saw begin, and others of its depth lie within it: they go one row down, with all that is below
 * them.  Where they are coded already it goes below them instead.  Returns its row.
 */
static __attribute__((noinline)) struct ct_row_live *make_way(struct ct_builder *b, struct ct_build_thread *t,
                                                             unsigned depth, int64_t start)
{
    unsigned last = t->depths;

    for (unsigned i = depth; i < t->depths; i++)
        if (ct_column_tail(&t->depth[i]->column, start) < 0)
            return depth_row(b, t, t->depths);
    if (ct_column_tail(&t->depth[last - 1]->column, start) > 0 && !depth_row(b, t, last))
        return NULL;
    for (unsigned i = last; i-- > depth;) {
        int count = ct_column_tail(&t->depth[i]->column, start);

        if (count > 0 && !ct_column_move(&t->depth[i]->column, &t->depth[i + 1]->column, &b->heap, (unsigned)count))
            return NULL;
    }
    return t->depth[depth];
}

static void pause_of(struct ct_builder *b, const struct ct_span *s, uint32_t name, const uint8_t *payload, size_t size)
{
    struct ct_build_owner *own = ct_build_owner_of(b, s->thread->program);
    struct ct_row_live *row;
    int64_t start = s->start;

    if (!own)
        return;
    row = ct_build_packed(b, &own->pauses, CT_LANE_PAUSE, s->thread->program, &start, s->end);
    if (!row)
        return;
    ct_build_put(b, row, start, s->end, name, payload, size);
    ct_build_long(b->summary.pauses, &b->summary.pause_count,
                  &(struct ct_long_record){ start, s->end - start, row->id, row->record.lane, name,
                                            CT_INDEX_NONE, 0 });
}

static void wait_of(struct ct_builder *b, const struct ct_span *s, const struct ct_build_thread *t, uint32_t row, uint32_t name)
{
    struct ct_build_thread *waker = s->waker ? ct_build_thread_of(b, s->waker) : NULL;

    ct_build_long(b->summary.waits, &b->summary.wait_count,
                  &(struct ct_long_record){ s->start, s->end - s->start, row, t->lane, name,
                                            waker ? waker->lane : CT_INDEX_NONE, s->result });
}

static inline uint32_t call_name(const struct ct_builder *b, const uint64_t *arg)
{
    return b->call_name[arg[1] < CT_CALL_END ? arg[1] : CT_CALL_END];
}

/* One that has a stack. */
static void slow_call(struct ct_builder *b, struct ct_build_thread *t, struct ct_row_live *row, const struct ct_span *s)
{
    uint8_t *to = ct_column_room(&row->column, &b->heap, CT_BUILD_SHORT);

    if (!to)
        return;
    ct_build_push(row, s->start, s->end, call_name(b, s->arg), ct_build_io_payload(b, s, to));
    ct_build_seen(b, t, s->start, s->end);
}

static void span(void *context, const struct ct_span *s)
{
    struct ct_builder *b = context;
    struct ct_build_thread *t = s->thread->user ? s->thread->user : ct_build_thread_of(b, s->thread);
    struct ct_row_live *row = t ? depth_row(b, t, s->depth) : NULL;
    uint32_t name;
    uint8_t *to;
    size_t size;

    if (!row)
        return;
    if (__builtin_expect(s->start < row->column.end, 0)) {
        row = make_way(b, t, s->depth, s->start);
        if (!row)
            return;
    }
    s->thread->near = row;
    if (ct_build_is_io(s->no)) {
        slow_call(b, t, row, s);
        return;
    }
    name = ct_build_span_name(b, s);
    to = s->no ? ct_column_room(&row->column, &b->heap, CT_BUILD_SHORT + s->told.size) : b->scratch;
    if (!to)
        return;
    size = ct_build_span_payload(b, s, to);
    if (__builtin_expect(to != b->scratch, 1))
        ct_build_push(row, s->start, s->end, name, size);
    else
        ct_build_put(b, row, s->start, s->end, name, to, size);
    ct_build_seen(b, t, s->start, s->end);
    if (s->no >= CT_EV_MUTEX_WAIT && s->no <= CT_EV_JOIN_WAIT)
        wait_of(b, s, t, row->id, name);
    else if (s->no == CT_EV_HEAP_GROW || s->no == CT_EV_HEAP_SHRINK || s->no == CT_EV_GC_BEGIN)
        pause_of(b, s, name, to, size);
}

/* Half of all slices: without the choices that the others need, of which each costs more than what it chooses. */
static void call(void *context, struct ct_model_thread *thread, const struct ct_read_event *e, int64_t start, int64_t end)
{
    struct ct_builder *b = context;
    struct ct_build_thread *t = thread->user ? thread->user : ct_build_thread_of(b, thread);
    struct ct_row_live *row = t ? depth_row(b, t, thread->open_count) : NULL;
    uint8_t *to;

    if (row && __builtin_expect(start < row->column.end, 0))
        row = make_way(b, t, thread->open_count, start);
    to = row ? ct_column_room(&row->column, &b->heap, CT_BUILD_SHORT) : NULL;
    if (!to)
        return;
    thread->near = row;
    ct_build_push(row, start, end, call_name(b, e->arg), ct_build_call_payload(b, thread->program, e->arg, to));
    ct_build_seen(b, t, start, end);
}

/* --- arrows, tasks, pauses of the tracer --- */

static void arrow(void *context, const struct ct_arrow *a)
{
    static const uint8_t kinds[] = {
        [CT_ARROW_WAKE] = CT_FLOW_WAKE, [CT_ARROW_CREATE] = CT_FLOW_CREATE, [CT_ARROW_JOIN] = CT_FLOW_JOIN,
    };
    struct ct_builder *b = context;
    struct ct_build_thread *from = ct_build_thread_of(b, a->from), *to = ct_build_thread_of(b, a->to);
    uint8_t *p = b->scratch;

    if (!from || !to)
        return;
    *p++ = kinds[a->kind];
    p = ct_varint_put(p, to->lane);
    ct_column_add(&b->flows, &b->heap, a->from_ns, a->to_ns, from->lane, b->scratch, (size_t)(p - b->scratch));
}

static void task(void *context, const struct ct_task_span *s)
{
    struct ct_builder *b = context;
    struct ct_build_owner *own = ct_build_owner_of(b, s->program);
    struct ct_text lost = { "(name lost)", 11 };
    int64_t start = s->start;
    struct ct_row_live *row = own ? ct_build_packed(b, &own->tasks, CT_LANE_TASK, s->program, &start, s->end) : NULL;
    uint8_t *p = b->scratch;

    if (!row)
        return;
    *p++ = (uint8_t)(CT_PAYLOAD_ARGS | (s->flags ? CT_PAYLOAD_FLAGS : 0));
    if (s->flags)
        *p++ = (uint8_t)s->flags;
    p = ct_varint_put(p, s->task);
    p = ct_varint_put(p, s->parent);
    p = ct_varint_put(p, CT_STRINGS_EMPTY);
    ct_build_put(b, row, start, s->end, ct_build_name(b, s->name_lost ? lost : s->name, CT_EV_TASK_BEGIN, 0, CT_CLASS_TASK),
                 b->scratch, (size_t)(p - b->scratch));
}

static void tracer_pause(void *context, const struct ct_pause *s)
{
    static const char *const names[] = {
        [CT_PAUSE_TURN] = "generation turns", [CT_PAUSE_START] = "tracing starts", [CT_PAUSE_STOP] = "tracing stops",
    };
    struct ct_builder *b = context;
    struct ct_build_owner *own = ct_build_owner_of(b, s->program);
    const char *text = s->missing ? "not in the trace" : names[s->kind];
    int64_t start = s->start;
    struct ct_row_live *row = own ? ct_build_packed(b, &own->pauses, CT_LANE_PAUSE, s->program, &start, s->end) : NULL;
    uint32_t name;

    if (!row)
        return;
    name = ct_build_name(b, (struct ct_text){ text, strlen(text) }, 0, 0, CT_CLASS_TRACER_PAUSE);
    ct_build_put(b, row, start, s->end, name, NULL, 0);
    ct_build_long(b->summary.pauses, &b->summary.pause_count,
                  &(struct ct_long_record){ start, s->end - start, row->id, row->record.lane, name, CT_INDEX_NONE, 0 });
}

static void moment(void *context, const struct ct_moment *m)
{
    ct_build_moment(context, m);
}

static void counter(void *context, const struct ct_counter *n)
{
    ct_build_counter(context, n);
}

static void program(void *context, struct ct_model_program *p)
{
    ct_build_owner_of(context, p);
}

static void thread(void *context, struct ct_model_thread *t)
{
    ct_build_thread_name(context, t);
}

static const struct ct_model_sink sink = {
    .program = program, .thread = thread, .span = span, .call = call, .state = ct_build_state, .lane = ct_build_on_cpu, .moment = moment, .arrow = arrow,
    .task = task, .counter = counter, .pause = tracer_pause,
};

/* --- the whole --- */

static void begin_summary(struct ct_builder *b)
{
    int64_t end = ct_reader_end_ns(b->reader);
    const struct ct_read_program *first = ct_reader_program_count(b->reader) ? ct_reader_program(b->reader, 0) : NULL;

    b->summary.span = end < 1 ? 1 : end > CT_BUILD_TO_NS ? CT_BUILD_TO_NS : end;
    b->summary.wall = ct_reader_realtime_ns(b->reader);
    b->bin_ns = (b->summary.span + CT_OVERVIEW_BINS - 1) / CT_OVERVIEW_BINS;
    if (!first)
        return;
    memcpy(b->summary.uuid, first->run.run_id, CT_UUID_SIZE);
    for (unsigned i = 0; i < ct_reader_program_count(b->reader); i++) {
        uint64_t cpus = ct_reader_program(b->reader, i)->run.cpus;

        if (cpus > b->summary.cpus && cpus < 1 << 20)
            b->summary.cpus = (uint32_t)cpus;
    }
}

static void sum_pages(void *context)
{
    ct_image_sum_pages(context);
}

static void end_coder(struct ct_builder *b)
{
    ct_coder_free(b->heap.coder);
    b->heap.coder = NULL;
}

struct ct_builder *ct_builder_new(struct ct_reader *reader, int fd)
{
    struct ct_model_options options = { .from_ns = 0, .to_ns = CT_BUILD_TO_NS, .stacks = true, .wake_stacks = true };
    struct ct_builder *b = aligned_alloc(CT_LINE, sizeof *b);
    uint8_t *head;

    if (!b) {
        close(fd);
        return NULL;
    }
    memset(b, 0, sizeof *b);
    if (ct_heap_init(&b->heap, fd) < 0) {
        close(fd);
        free(b);
        return NULL;
    }
    head = ct_heap_room(&b->heap, CT_IMAGE_HEAD);
    if (head) {
        memset(head, 0, CT_IMAGE_HEAD);
        ct_heap_take(&b->heap, CT_IMAGE_HEAD);
    }
    b->reader = reader;
    b->flows.tree.loose = true;
    b->model = ct_model_new(reader, &options, &sink, b);
    ct_idmap_add(&b->cpu_places, UINT64_MAX, 0);        /* seeds the hashes */
    if (!b->model || ct_strings_init(&b->strings) < 0) {
        ct_builder_free(b);
        return NULL;
    }
    ct_build_fixed_names(b);
    begin_summary(b);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        b->heap.coder = ct_coder_new(&b->heap, ct_reader_second(reader), sum_pages, b);
    return b;
}

void ct_builder_free(struct ct_builder *b)
{
    if (!b)
        return;
    end_coder(b);
    for (unsigned i = 0; b->model && i < ct_reader_program_count(b->reader); i++) {
        struct ct_read_program *read = ct_reader_program(b->reader, i);

        if (read->user)
            ct_build_program_free(read->user);
    }
    ct_model_free(b->model);
    for (size_t i = 0; i < b->rows.count; i++) {
        ct_column_fini(&b->rows.items[i]->column);
        free(b->rows.items[i]);
    }
    ct_column_fini(&b->flows);
    ct_list_fini(&b->rows);
    ct_list_fini(&b->lanes);
    ct_list_fini(&b->programs);
    ct_list_fini(&b->cpus);
    ct_list_fini(&b->page_sums);
    ct_list_fini(&b->addresses);
    ct_idmap_fini(&b->address_places);
    ct_list_fini(&b->events);
    ct_list_fini(&b->new_events);
    ct_idmap_fini(&b->cpu_places);
    ct_names_fini(&b->names);
    ct_strings_fini(&b->strings);
    ct_heap_fini(&b->heap);
    free(b);
}

static int error_of(const struct ct_builder *b)
{
    int error = b->heap.coder ? ct_coder_error(b->heap.coder) : b->heap.error;

    return error ? error : b->no_memory ? -ENOMEM : 0;
}

int ct_builder_items(struct ct_builder *b, const struct ct_read_item *items, size_t count)
{
    int r = ct_model_items(b->model, items, count);

    if (count > 0 && items[0].kind == CT_READ_EVENT)    /* runs are of events, or one of something else */
        b->summary.events += count;
    if (!b->heap.coder)
        ct_image_sum_pages(b);
    return r < 0 ? r : error_of(b);
}

void ct_builder_rest(struct ct_builder *b)
{
    if (b->heap.coder)
        ct_coder_drain(b->heap.coder);
    ct_build_settle_lanes(b);
    ct_heap_show(&b->heap);             /* an error is that of what is appended next */
}

int ct_builder_finish(struct ct_builder *b)
{
    ct_model_finish(b->model);
    ct_build_settle_lanes(b);
    ct_build_settle_bins(b);
    end_coder(b);
    for (size_t i = 0; i < b->rows.count; i++)
        if (!ct_column_finish(&b->rows.items[i]->column, &b->heap))
            return b->heap.error;
    if (!ct_column_finish(&b->flows, &b->heap))
        return b->heap.error;
    return error_of(b);
}
