/* The slices of a thread: what begins is kept with the thread until it ends, and is handed out then. */
#include <stdlib.h>
#include <string.h>

#include "converter/model/args.h"
#include "converter/model/machine.h"

enum {
    OPEN_MAX = 4096,                    /* nested deeper than this is counted, not drawn */
    WAITS_MAX = 8,                      /* a handler within a wait can wait; more is what siglongjmp left behind */
    POINT_NS = 1000,                    /* how long a short act is drawn at most */
    POINT_MIN_NS = 2,                   /* and at least: an arrow needs a ns strictly inside */
};

static bool is_wait(unsigned no)
{
    return no >= CT_EV_MUTEX_WAIT && no <= CT_EV_SLEEP;
}

static bool is_wait_for_memory(unsigned no)
{
    return no >= CT_EV_MUTEX_WAIT && no <= CT_EV_BARRIER_WAIT;
}

/* HOT: an initializer of this size becomes a slow string instruction, and what reads it waits. */
static inline void fill(struct ct_span *s, struct ct_model_thread *t, unsigned no, unsigned flags, const uint64_t *arg)
{
    s->thread = t;
    s->arg = arg;
    s->no = no;
    s->flags = flags;
    s->stack = CT_NODE_NONE;
    s->start = s->end = 0;
    s->wake_ns = CT_READ_NEVER;
    memset(&s->generation, 0, offsetof(struct ct_span, name_lost) - offsetof(struct ct_span, generation));
    s->name_lost = false;
}

static inline __attribute__((always_inline)) void emit(struct ct_model *m, struct ct_span *span)
{
    span->depth = span->thread->open_count;
    ct_row_close(&span->thread->row, span->start, span->end);
    if (m->sink->span && ct_model_clip(m, &span->start, &span->end))
        m->sink->span(m->context, span);
}

static void arrow(struct ct_model *m, enum ct_arrow_kind kind, struct ct_model_thread *from, int64_t from_ns,
                  struct ct_model_thread *to, int64_t to_ns)
{
    struct ct_arrow a = { kind, from, to, from_ns, to_ns };

    if (m->sink->arrow && from_ns <= to_ns && ct_model_in_range(m, from_ns) && ct_model_in_range(m, to_ns))
        m->sink->arrow(m->context, &a);
}

/* What closes now lies within what is open. */
static int64_t floor_of(const struct ct_model_thread *t)
{
    return t->open_count ? t->open[t->open_count - 1].start : CT_READ_NEVER;
}

/* --- short acts --- */

int64_t ct_span_point(struct ct_model *m, struct ct_model_thread *t, unsigned no, int64_t ns, uint64_t arg)
{
    ct_span_point_flush(m, t, ns);
    t->point = (struct ct_point){ .no = no, .start = ct_row_begin(&t->row, ns), .arg = { arg } };
    t->row.end = t->point.start + POINT_MIN_NS;
    return t->point.start;
}

void ct_span_point_flush(struct ct_model *m, struct ct_model_thread *t, int64_t limit)
{
    struct ct_point *p = &t->point;
    struct ct_span span;

    if (p->no == 0)
        return;
    fill(&span, t, p->no, 0, p->arg);
    span.start = p->start;
    span.stack = p->stack;
    p->no = 0;
    span.end = limit < span.start + POINT_NS ? limit : span.start + POINT_NS;
    if (span.end < span.start + POINT_MIN_NS)
        span.end = span.start + POINT_MIN_NS;
    emit(m, &span);
}

/* --- what is open --- */

/* A new innermost open slice; NULL when there are too many or memory is short. */
static struct ct_open *push(struct ct_model_thread *t, unsigned no, int64_t ns, struct ct_text name)
{
    struct ct_open *o;

    if (t->open_count == t->open_room) {
        unsigned room = t->open_room ? t->open_room * 2 : 4;
        struct ct_open *more = room <= OPEN_MAX ? realloc(t->open, room * sizeof *more) : NULL;

        if (!more)
            return NULL;
        t->open = more;
        t->open_room = room;
    }
    if (t->names_used + name.size > t->names_room && !ct_span_names_grow(t, name.size))
        return NULL;
    o = &t->open[t->open_count++];
    *o = (struct ct_open){ .no = no, .start = ct_row_begin(&t->row, ns), .name_at = t->names_used,
                           .name_size = (uint32_t)name.size };
    if (name.size)
        memcpy(t->names + t->names_used, name.at, name.size);
    t->names_used += name.size;
    return o;
}

/* Ends the innermost open slice at `ns`. */
static void pop(struct ct_model *m, struct ct_model_thread *t, int64_t ns, int64_t result, unsigned flags)
{
    struct ct_open *o = &t->open[--t->open_count];
    struct ct_wake wake = { 0 };
    struct ct_span span;

    fill(&span, t, o->no, o->flags | flags, o->arg);
    span.start = o->start;
    span.end = ct_row_end(&t->row, ns);
    if (o->no == CT_EV_REGION_BEGIN && (o->told_size | t->end_told.size) > 0)
        span.told = ct_span_told(t, o);      /* which may move all names */
    if (o->name_size > 0)               /* else there may be no room for names at all */
        span.name = (struct ct_text){ t->names + o->name_at, o->name_size };
    span.name_lost = o->name_lost;
    span.stack = o->stack;
    span.result = result;
    if (is_wait(o->no)) {
        t->waits--;
        if (is_wait_for_memory(o->no)) {
            if (result == 0 && !(span.flags & (CT_SPAN_CUT_END | CT_SPAN_LOST)))
                wake = ct_wakes_of(o->waited, t, o->start);
            ct_wakes_unwait(m->wakes, o->waited);
        } else if (o->no == CT_EV_JOIN_WAIT && result == 0) {
            const struct ct_read_thread *joined = ct_read_thread(t->program->read, o->arg[0]);

            if (joined && joined->user)
                wake = (struct ct_wake){ joined->user, ((struct ct_model_thread *)joined->user)->exit_point };
        }
    }
    if (o->no == CT_EV_SCHED_OUT && t->woken.ns >= o->start && !(span.flags & (CT_SPAN_CUT_END | CT_SPAN_LOST)))
        wake = t->woken;
    t->names_used = o->name_at;
    span.waker = wake.thread;
    if (wake.thread && wake.ns != CT_READ_NEVER)
        span.wake_ns = wake.ns + 1;
    emit(m, &span);
    if (wake.thread && wake.ns != CT_READ_NEVER && span.end - span.start >= 2 && !(flags & CT_SPAN_CUT_END))
        arrow(m, span.no == CT_EV_JOIN_WAIT ? CT_ARROW_JOIN : CT_ARROW_WAKE, wake.thread, wake.ns + 1, t, span.end - 1);
}

/* Ends the innermost open slice for which `wanted` is true, and what is open within it.  False when there is none. */
static bool end_innermost(struct ct_model *m, struct ct_model_thread *t, bool (*wanted)(unsigned), int64_t ns,
                          int64_t result, unsigned flags)
{
    unsigned at = t->open_count;

    while (at > 0 && !wanted(t->open[at - 1].no))
        at--;
    if (at == 0)
        return false;
    while (t->open_count > at)
        pop(m, t, ns, 0, CT_SPAN_LOST);
    pop(m, t, ns, result, flags);
    return true;
}

/* The thread is in its innermost wait, or running. */
static void state_from_waits(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    unsigned no = ct_span_wait(t);

    ct_thread_state(m, t, no == 0 ? CT_STATE_RUNNING : no == CT_EV_SLEEP ? CT_STATE_SLEEPING : CT_STATE_WAITING, no, 0, ns);
}

/* --- waits --- */

static struct ct_open *wait_push(struct ct_model *m, struct ct_model_thread *t, unsigned no, uint64_t object, int64_t ns)
{
    struct ct_open *o;

    if (t->waits == WAITS_MAX)
        ct_span_drop_waits(m, t, ns);
    o = push(t, no, ns, (struct ct_text){ 0 });
    if (!o)
        return NULL;
    o->arg[0] = object;
    t->waits++;
    if (is_wait_for_memory(no))
        o->waited = ct_wakes_wait(m->wakes, t->program->read->index, object);
    return o;
}

void ct_span_wait_begin(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    struct ct_open *o = t->open_count ? &t->open[t->open_count - 1] : NULL;
    unsigned last = e->info->field_count - 1u;      /* the stack stands last in all of them */

    if (!o || !o->from_row || o->no != e->no || o->arg[0] != e->arg[0])
        o = wait_push(m, t, e->no, e->arg[0], e->ns);
    if (!o)
        return;
    o->from_row = false;
    o->flags = 0;
    for (unsigned i = 1; i < last && i < 3; i++)
        o->arg[i] = e->arg[i];
    if (m->options.stacks)
        o->stack = ct_stacks_of(m->stacks, e->generation, e->arg[last]);
    state_from_waits(m, t, e->ns);
}

void ct_span_wait_stack(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    struct ct_open *o = t->open_count ? &t->open[t->open_count - 1] : NULL;

    if (o && is_wait(o->no) && m->options.stacks && ct_args_WAIT_SAMPLE(e->arg)->rate)
        o->stack = ct_stacks_of(m->stacks, e->generation, ct_args_WAIT_SAMPLE(e->arg)->at);
}

void ct_span_wait_from_row(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_thread_row *row)
{
    struct ct_open *o;

    if (!is_wait((unsigned)row->reason) || t->waits > 0)
        return;
    o = wait_push(m, t, (unsigned)row->reason, row->object, row->since_ns);
    if (!o)
        return;
    o->from_row = true;
    o->stack = m->options.stacks ? CT_NODE_LOST : CT_NODE_NONE;
    state_from_waits(m, t, row->since_ns);
}

void ct_span_wait_end(struct ct_model *m, struct ct_model_thread *t, int64_t ns, int64_t result, unsigned flags)
{
    if (t->waits > 0) {
        end_innermost(m, t, is_wait, ns, result, flags);
    } else if (t->state == CT_STATE_UNKNOWN) {      /* it was waiting when the trace began */
        static const uint64_t none[1];
        struct ct_span span;

        fill(&span, t, CT_EV_WAIT_DONE, CT_SPAN_CUT_START, none);
        span.result = result;
        span.start = ct_row_begin(&t->row, t->program->read->start_ns);
        span.end = ct_row_end(&t->row, ns);
        emit(m, &span);
    }
    state_from_waits(m, t, ns);
}

void ct_span_drop_waits(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    while (t->waits > 0)
        end_innermost(m, t, is_wait, ns, 0, CT_SPAN_LOST);
    if (t->state == CT_STATE_WAITING || t->state == CT_STATE_SLEEPING)
        state_from_waits(m, t, ns);
}

/* --- what the kernel says --- */

static bool is_blocked(unsigned no)
{
    return no == CT_EV_SCHED_OUT;
}

void ct_span_block(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e)
{
    struct ct_open *o;

    ct_span_unblock(m, t, e->ns, CT_SPAN_LOST);
    o = push(t, e->no, e->ns, (struct ct_text){ 0 });
    if (o)
        memcpy(o->arg, e->arg, sizeof(struct ct_args_SCHED_OUT));
}

void ct_span_unblock(struct ct_model *m, struct ct_model_thread *t, int64_t ns, unsigned flags)
{
    end_innermost(m, t, is_blocked, ns, 0, flags);
}

unsigned ct_span_wait(const struct ct_model_thread *t)
{
    for (unsigned i = t->open_count; i-- > 0;)
        if (is_wait(t->open[i].no))
            return t->open[i].no;
    return 0;
}

/* --- regions and collector pauses --- */

static bool is_region(unsigned no)
{
    return no == CT_EV_REGION_BEGIN;
}

static bool is_gc(unsigned no)
{
    return no == CT_EV_GC_BEGIN;
}

void ct_span_begin(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, uint64_t name,
                   uint64_t stack)
{
    struct ct_text text = { 0 };
    bool told = ct_read_string(e->generation, name, &text), range = e->no == CT_EV_RANGE_BEGIN;
    struct ct_open *o = push(t, range ? CT_EV_REGION_BEGIN : e->no, e->ns, told ? text : (struct ct_text){ 0 });

    if (!o) {
        t->too_deep += e->no != CT_EV_GC_BEGIN;
        return;
    }
    o->name_lost = !told;
    o->arg[0] = e->arg[0];
    o->arg[1] = range ? 0 : e->arg[1];
    if (range)
        ct_span_keep_told(t, o, e->text);
    if (m->options.stacks)
        o->stack = ct_stacks_of(m->stacks, e->generation, stack);
}

void ct_span_end(struct ct_model *m, struct ct_model_thread *t, unsigned no, int64_t ns, struct ct_text told)
{
    bool region = no == CT_EV_REGION_BEGIN, ended;

    if (region && t->too_deep > 0) {
        t->too_deep--;
        return;
    }
    t->end_told = told;
    ended = end_innermost(m, t, region ? is_region : is_gc, ns, 0, 0);
    t->end_told.size = 0;
    if (!ended) {
        static const uint64_t none[2];
        struct ct_span span;

        fill(&span, t, no, CT_SPAN_CUT_START, none);
        span.name_lost = true;
        span.told = told;
        span.start = ct_row_start(&t->row, t->program->read->start_ns, floor_of(t));
        span.end = ct_row_end(&t->row, ns);
        emit(m, &span);
    }
}

/* --- what is told when it is over --- */

/* A thread was created from `ns` on; it may have started already, or will. */
static void created(struct ct_model *m, struct ct_model_thread *t, uint64_t serial, int64_t ns)
{
    const struct ct_read_thread *read = ct_read_thread(t->program->read, serial);
    const struct ct_model_thread *child = read ? read->user : NULL;

    if (child && child->start_point != CT_READ_NEVER)
        arrow(m, CT_ARROW_CREATE, t, ns, read->user, child->start_point + 1);
    else if (serial)
        m->creation[m->creation_next++ % CT_CREATIONS] = (struct ct_creation){ t, serial, ns };
}

void ct_span_thread_start(struct ct_model *m, struct ct_model_thread *t, int64_t ns, uint64_t parent)
{
    t->start_point = ct_span_point(m, t, CT_EV_THREAD_START, ns, parent);
    for (unsigned i = 0; i < CT_CREATIONS; i++) {
        struct ct_creation *c = &m->creation[i];

        if (c->child == t->read->serial && c->creator->program == t->program) {
            arrow(m, CT_ARROW_CREATE, c->creator, c->ns, t, t->start_point + 1);
            c->child = 0;
        }
    }
}

void ct_span_complete(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start,
                      uint64_t name, uint64_t stack)
{
    struct ct_span span;

    fill(&span, t, e->no, 0, e->arg);
    span.generation = e->generation;
    span.info = e->info;
    span.end = ct_row_end(&t->row, e->ns);
    span.start = ct_row_start(&t->row, start, floor_of(t));
    if (span.start > span.end)
        span.start = span.end;
    if (name)
        span.name_lost = !ct_read_string(e->generation, name, &span.name);
    if (span.name_lost)
        span.name.size = 0;
    if (stack && m->options.stacks)
        span.stack = ct_stacks_of(m->stacks, e->generation, stack);
    emit(m, &span);
    if (e->no == CT_EV_THREAD_CREATE && span.end - span.start >= 2)
        created(m, t, ct_args_THREAD_CREATE(e->arg)->child, span.start + 1);
}

/* HOT: half of all slices. */
void ct_span_call(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start)
{
    int64_t end = ct_row_end(&t->row, e->ns);

    start = ct_row_start(&t->row, start, floor_of(t));
    start = start < end ? start : end;
    ct_row_close(&t->row, start, end);
    if (ct_model_clip(m, &start, &end))
        m->sink->call(m->context, t, e, start, end);
}

/* --- ends --- */

void ct_span_end_all(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    ct_span_point_flush(m, t, ns);
    while (t->open_count > 0)
        pop(m, t, ns, 0, CT_SPAN_CUT_END);
    free(t->open);
    free(t->names);
    t->open = NULL;
    t->names = NULL;
    t->open_room = t->too_deep = 0;
    t->names_used = t->names_room = 0;
}
