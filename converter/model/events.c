/* What each event means to the model: one case each. */
#include <string.h>

#include "converter/model/args.h"
#include "converter/model/counts.h"
#include "converter/model/machine.h"

enum { SLOW_NS = 20000 };               /* a call that took longer is a state of its own; the recorder's line too */

static void moment(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    struct ct_moment moment = { .thread = t, .event = e };

    if (m->options.stacks && e->no == CT_EV_CPU_SAMPLE)
        moment.stack = ct_stacks_of(m->stacks, e->generation, ct_args_CPU_SAMPLE(e->arg)->at);
    else if (m->options.stacks && e->no == CT_EV_ALLOC_SAMPLE)
        moment.stack = ct_stacks_of(m->stacks, e->generation, ct_args_ALLOC_SAMPLE(e->arg)->at);
    if (m->sink->moment && ct_model_in_range(m, e->ns))
        m->sink->moment(m->context, &moment);
}

static __attribute__((noinline)) void long_call_over(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e,
                                                    int64_t start)
{
    const struct ct_args_IO *a = ct_args_IO(e->arg);        /* the same first fields in all calls */
    bool waits = e->no == CT_EV_POLL || e->no == CT_EV_POLL_SLOW || e->no == CT_EV_LOCK_CALL || e->no == CT_EV_SIGNAL_CALL ||
                 e->no == CT_EV_CHILD_CALL || e->no == CT_EV_LOOKUP;

    if (t->waits > 0)
        return;                         /* a handler's, within a wait */
    ct_thread_state(m, t, waits ? CT_STATE_WAITING : CT_STATE_CALL, 0, (unsigned)a->call, start);
    ct_thread_state(m, t, CT_STATE_RUNNING, 0, 0, e->ns);
    ct_lanes_enter(m, t, e->ns, true);
}

/* A call is over: the time it took was a state if it was long. */
static inline void call_over(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    if (__builtin_expect(e->ns - start >= SLOW_NS || t->state == CT_STATE_CALL, 0))
        long_call_over(m, t, e, start);
}

/* The slice of a call on a descriptor. */
static inline void call_slice(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start, uint64_t stack)
{
    if (__builtin_expect(!stack && m->sink->call, 1))
        ct_span_call(m, t, e, start);
    else
        ct_span_complete(m, t, e, start, 0, stack);
}

static bool is_network(const struct ct_model_program *p, int32_t number)
{
    const struct ct_fd *fd = ct_fds_get(&p->fds, number);

    return fd && (fd->kind == CT_FD_tcp || fd->kind == CT_FD_udp);
}

static void io(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    enum { MOVES = 1, OUT = 2 };
    static const uint8_t calls[CT_CALL_END] = {
#define CALL(no, name, category, direction) \
        [no] = #direction[0] == 'R' ? MOVES : #direction[0] == 'W' ? MOVES | OUT : 0,
#include "format/calls.def"
    };
    const struct ct_args_IO_SLOW *a = ct_args_IO_SLOW(e->arg);
    unsigned call = (unsigned)a->call < CT_CALL_END ? calls[(unsigned)a->call] : 0;
    uint64_t moved = a->result & (0 - (uint64_t)(call & MOVES)) & (0 - (uint64_t)((int64_t)a->result > 0));

    call_slice(m, t, e, start, e->no == CT_EV_IO_SLOW ? a->at : 0);
    call_over(m, t, e, start);
    ct_counts_io(m, t->program, call / OUT, is_network(t->program, (int32_t)a->fd), moved, e->ns);
}

static void file(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    const struct ct_args_FILE_SLOW *a = ct_args_FILE_SLOW(e->arg);

    call_slice(m, t, e, start, e->no == CT_EV_FILE_SLOW ? a->at : 0);
    call_over(m, t, e, start);
    if (a->call == CT_CALL_close && (int64_t)a->result >= 0)
        ct_fds_forget(&t->program->fds, (int32_t)a->fd);
}

/* Calls that are about something else than a descriptor. */
static void called(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    uint64_t name = e->no == CT_EV_PATH ? ct_args_PATH(e->arg)->path
                  : e->no == CT_EV_LOOKUP ? ct_args_LOOKUP(e->arg)->name : 0;
    uint64_t at = e->no == CT_EV_PATH ? ct_args_PATH(e->arg)->at
                : e->no == CT_EV_SIGNAL_CALL ? ct_args_SIGNAL_CALL(e->arg)->at
                : ct_args_LOCK_CALL(e->arg)->at;        /* the same fields in the rest */

    ct_span_complete(m, t, e, start, name, at);
    call_over(m, t, e, start);
}

static void heap(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    const struct ct_args_HEAP_GROW *a = ct_args_HEAP_GROW(e->arg);

    ct_span_complete(m, t, e, start, 0, a->at);
    if (t->program->heap_total != a->total)
        ct_counts_heap(m, t->program, a->total, e->ns);
    t->program->heap_total = a->total;
}

static void user_counter(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    const struct ct_args_COUNTER *a = ct_args_COUNTER(e->arg);
    struct ct_counter counter;          /* field by field, as a span: see span.c */

    counter.program = t->program;
    counter.kind = CT_COUNTER_USER;
    counter.ns = e->ns;
    counter.value[0] = (int64_t)a->value;
    if (!ct_read_string(e->generation, a->name, &counter.name))
        counter.name = (struct ct_text){ "(name lost)", 11 };
    if (m->sink->counter && ct_model_in_range(m, e->ns))
        m->sink->counter(m->context, &counter);
}

static void thread_name(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    const struct ct_args_THREAD_NAME *a = ct_args_THREAD_NAME(e->arg);
    struct ct_read_thread *read = a->thread ? ct_read_thread(t->program->read, a->thread) : t->read;
    struct ct_model_thread *named = NULL;
    struct ct_text name;

    if (read)
        named = read->user ? read->user : ct_model_thread_new(m, read);
    if (named && ct_read_string(e->generation, a->name, &name))
        ct_model_rename(m, named, name);
    moment(m, t, e);
}

static void fd(struct ct_model_thread *t, const struct ct_read_event *e)
{
    const struct ct_args_FD *a = ct_args_FD(e->arg);
    struct ct_text name;

    if (!ct_read_string(e->generation, a->name, &name))
        name.size = 0;
    ct_fds_set(&t->program->fds, (int32_t)a->fd, (uint32_t)a->kind, name);
}

static void wake(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    uint64_t object = ct_args_WAKE(e->arg)->object;         /* UNLOCK_WAKE has the same first field */
    int64_t start = ct_span_point(m, t, CT_EV_WAKE, e->ns, object);

    ct_wakes_wake(m->wakes, t->program->read->index, object, (struct ct_wake){ t, start });
    if (e->no == CT_EV_UNLOCK_WAKE && m->options.wake_stacks) {
        t->point.stack = ct_stacks_of(m->stacks, e->generation, ct_args_UNLOCK_WAKE(e->arg)->at);
        if (t->point.stack == CT_NODE_NONE)
            t->point.stack = t->unlock_stack;
        t->unlock_stack = CT_NODE_NONE;
    }
}

/* A thread's life. */
static void take_thread(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    switch (e->no) {
    case CT_EV_CPU:
        ct_lanes_seen(m, t, (int)ct_args_CPU(e->arg)->cpu, e->ns);
        break;
    case CT_EV_LOST:
        ct_span_drop_waits(m, t, e->ns);
        moment(m, t, e);
        break;
    case CT_EV_THREAD_START:
        ct_span_thread_start(m, t, e->ns, ct_args_THREAD_START(e->arg)->parent);
        break;
    case CT_EV_THREAD_EXIT:
        ct_model_thread_exit(m, t, e->ns);
        t->exit_point = ct_span_point(m, t, CT_EV_THREAD_EXIT, e->ns, 0);
        ct_span_point_flush(m, t, INT64_MAX);
        break;
    case CT_EV_THREAD_NAME:
        thread_name(m, t, e);
        break;
    }
}

/* What is told of now and then. */
static void take_rare(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    switch (e->no) {
    case CT_EV_OPEN:
        ct_span_complete(m, t, e, start, ct_args_OPEN(e->arg)->path, ct_args_OPEN(e->arg)->at);
        break;
    case CT_EV_ALLOC_SLOW:
        ct_span_complete(m, t, e, start, 0, ct_args_ALLOC_SLOW(e->arg)->at);
        break;
    case CT_EV_FD:
        fd(t, e);
        break;
    case CT_EV_THREAD_CREATE:
        ct_span_complete(m, t, e, start, 0, ct_args_THREAD_CREATE(e->arg)->at);
        break;
    case CT_EV_FORK:
        ct_span_complete(m, t, e, start, 0, ct_args_FORK(e->arg)->at);
        break;
    case CT_EV_HEAP_GROW: case CT_EV_HEAP_SHRINK:
        heap(m, t, e, start);
        break;
    case CT_EV_GC_BEGIN:
        ct_span_begin(m, t, e, ct_args_GC_BEGIN(e->arg)->kind, ct_args_GC_BEGIN(e->arg)->at);
        break;
    case CT_EV_GC_END:
        ct_span_end(m, t, CT_EV_GC_BEGIN, e->ns, (struct ct_text){ 0 });
        break;
    default:
        if (e->info->shape == CT_SHAPE_COMPLETE)
            ct_span_complete(m, t, e, start, 0, 0);
        else
            moment(m, t, e);
    }
}

/* One jump for most: a second one, and a comparison before it, are what a processor could not guess either. */
static void take_event(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    switch (e->no) {
    case CT_EV_CPU: case CT_EV_LOST: case CT_EV_THREAD_START: case CT_EV_THREAD_EXIT: case CT_EV_THREAD_NAME:
        take_thread(m, t, e);
        break;
    case CT_EV_MUTEX_WAIT ... CT_EV_SLEEP:
        ct_span_wait_begin(m, t, e);
        break;
    case CT_EV_WAIT_SAMPLE:
        ct_span_wait_stack(m, t, e);
        break;
    case CT_EV_UNLOCK_SAMPLE:
        if (m->options.wake_stacks && ct_args_UNLOCK_SAMPLE(e->arg)->rate)
            t->unlock_stack = ct_stacks_of(m->stacks, e->generation, ct_args_UNLOCK_SAMPLE(e->arg)->at);
        break;
    case CT_EV_WAIT_DONE:
        ct_span_wait_end(m, t, e->ns, 0, 0);
        break;
    case CT_EV_WAIT_FAILED:
        ct_span_wait_end(m, t, e->ns, (int64_t)ct_args_WAIT_FAILED(e->arg)->result, 0);
        break;
    case CT_EV_WAKE: case CT_EV_UNLOCK_WAKE:
        wake(m, t, e);
        break;
    case CT_EV_IO: case CT_EV_IO_SLOW: case CT_EV_POLL: case CT_EV_POLL_SLOW:
        io(m, t, e, start);
        break;
    case CT_EV_FILE: case CT_EV_FILE_SLOW:
        file(m, t, e, start);
        break;
    case CT_EV_LOCK_CALL: case CT_EV_SIGNAL_CALL: case CT_EV_CHILD_CALL: case CT_EV_PATH: case CT_EV_LOOKUP: case CT_EV_MAP:
        called(m, t, e, start);
        break;
    case CT_EV_TASK_BEGIN:
        ct_tasks_begin(m, t, e);
        break;
    case CT_EV_TASK_END:
        ct_tasks_end(m, t, e);
        break;
    case CT_EV_REGION_BEGIN: case CT_EV_RANGE_BEGIN:
        ct_span_begin(m, t, e, ct_args_REGION_BEGIN(e->arg)->name, 0);
        break;
    case CT_EV_REGION_END: case CT_EV_RANGE_END:
        ct_span_end(m, t, CT_EV_REGION_BEGIN, e->ns, e->text);
        break;
    case CT_EV_COUNTER:
        user_counter(m, t, e);
        break;
    case CT_EV_LOG: case CT_EV_MARK:
        moment(m, t, e);
        break;
    case CT_EV_SCHED_IN ... CT_EV_SYSCALL:
        ct_kernel_event(m, t, e, start);
        break;
    default:
        take_rare(m, t, e, start);
    }
}

/*
 * What is asked about every event, by its number: its shape, and whether the recorder looks at the CPU for it, so that no
 * CPU event before it says that it is the same one.  Where an answer is only a time it is reckoned, without a branch: which event
 * comes next, of all threads, is nothing that a processor could guess, and the one jump by its number is dear enough.
 */
enum { SHAPE = 7, LOOKS_AT_CPU = 8, LASTS = 16, LASTS_BIT = 4, SEEN_BIT = 5 };

static const uint8_t traits[CT_EV_END] = {
#define LOOKS(no) \
    (((no) >= CT_EV_MUTEX_WAIT && (no) <= CT_EV_WAIT_FAILED) || ((no) >= CT_EV_IO && (no) <= CT_EV_FILE_SLOW) || \
     (no) == CT_EV_LOCK_CALL || (no) == CT_EV_SIGNAL_CALL || (no) == CT_EV_PATH || (no) == CT_EV_LOOKUP || \
     (no) == CT_EV_CHILD_CALL || (no) == CT_EV_MAP)
#define FIELD(type, name)
#define EVENT(no, NAME, shape, category, doc, ...) \
    [no] = CT_SHAPE_##shape | ((int)CT_SHAPE_##shape == (int)CT_SHAPE_COMPLETE ? LASTS : 0) | \
        ((no) == CT_EV_CPU || LOOKS(no) ? LOOKS_AT_CPU : 0) | LOOKS(no) << SEEN_BIT,
#include "format/events.def"
#undef LOOKS
};

static inline unsigned shape_of(const struct ct_read_event *e)
{
    return __builtin_expect(e->no != 0, 1) ? traits[e->no] & SHAPE : e->info->shape;
}

/* When what the event tells began: events of shape COMPLETE have `dur` as their first field. */
static inline int64_t start_of(const struct ct_read_event *e)
{
    bool lasts = traits[e->no] >> LASTS_BIT & 1;
    uint64_t dur;

    if (__builtin_expect(e->no == 0, 0))        /* not so in every one that this version does not know */
        lasts = e->info->shape == CT_SHAPE_COMPLETE && e->info->field_count > 0 && e->info->fields[0].type == CT_TYPE_TICKS;
    dur = e->arg[0] & (0 - (uint64_t)lasts);
    return e->ns - (int64_t)(__builtin_expect(dur > (uint64_t)INT64_MAX / 2, 0) ? 0 : dur);
}

void ct_model_event(struct ct_model *m, const struct ct_read_event *e)
{
    struct ct_model_thread *t = e->thread->user ? e->thread->user : ct_model_thread_new(m, e->thread);
    int64_t start = start_of(e);

    if (!t)
        return;
    if (t->point.no)
        ct_span_point_flush(m, t, start > t->point.start ? start : e->ns);
    t->exited = false;                  /* destructors can run after the last act, and rows can come late */
    if (t->state == CT_STATE_UNKNOWN && shape_of(e) != CT_SHAPE_END)
        ct_thread_state(m, t, CT_STATE_RUNNING, 0, 0, start);
    /* had it moved, that would have been told before */
    t->lane_seen ^= (t->lane_seen ^ e->ns) & -(int64_t)(traits[e->no] >> SEEN_BIT & 1);
    take_event(m, t, e, start);
    if (t->state == CT_STATE_RUNNING && !t->on_lane && !t->exited && !t->scheduled)
        ct_lanes_enter(m, t, e->ns, traits[e->no] & LOOKS_AT_CPU);
}
