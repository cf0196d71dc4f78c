/* The model's front: takes the reader's items, knows programs and threads, and hands each event to who handles it. */
#include "converter/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "converter/model/counts.h"
#include "converter/model/machine.h"

struct ct_model *ct_model_new(struct ct_reader *reader, const struct ct_model_options *options,
                              const struct ct_model_sink *sink, void *context)
{
    struct ct_model *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->reader = reader;
    m->options = *options;
    m->sink = sink;
    m->context = context;
    m->now = CT_READ_NEVER;
    m->stacks = ct_stacks_new(1024);
    m->wakes = ct_wakes_new();
    m->tasks = ct_tasks_new();
    m->lanes = ct_lanes_new();
    m->kernel = ct_kernel_new();
    if (m->stacks && m->wakes && m->tasks && m->lanes && m->kernel)
        return m;
    ct_model_free(m);
    return NULL;
}

static void thread_free(struct ct_model_thread *t)
{
    free(t->open);
    free(t->names);
    free(t);
}

static void program_free(struct ct_model_program *p)
{
    for (struct ct_model_thread *t = p->threads, *next; t; t = next) {
        next = t->next;
        t->read->user = NULL;
        thread_free(t);
    }
    ct_fds_fini(&p->fds);
    ct_counts_free(p->counts);
    p->read->user = NULL;
    free(p);
}

void ct_model_free(struct ct_model *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < ct_reader_program_count(m->reader); i++) {
        struct ct_read_program *read = ct_reader_program(m->reader, i);

        if (read->user)
            program_free(read->user);
    }
    ct_kernel_free(m->kernel);
    ct_lanes_free(m->lanes);
    ct_tasks_free(m->tasks);
    ct_wakes_free(m->wakes);
    ct_stacks_free(m->stacks);
    free(m);
}

const struct ct_stacks *ct_model_stacks(const struct ct_model *m)
{
    return m->stacks;
}

static struct ct_model_program *program_of(struct ct_model *m, struct ct_read_program *read)
{
    struct ct_model_program *p = read->user;

    if (p)
        return p;
    p = calloc(1, sizeof *p);
    if (!p) {
        m->no_memory = true;
        return NULL;
    }
    p->read = read;
    p->counts = ct_counts_new(read->start_ns, read->end_ns);
    read->user = p;
    if (m->sink->program)
        m->sink->program(m->context, p);
    return p;
}

struct ct_model_thread *ct_model_thread_new(struct ct_model *m, struct ct_read_thread *read)
{
    struct ct_model_program *p = program_of(m, read->program);
    struct ct_model_thread *t = p ? aligned_alloc(CT_LINE, sizeof *t) : NULL;

    if (!t) {
        m->no_memory = true;
        return NULL;
    }
    memset(t, 0, sizeof *t);
    t->read = read;
    t->program = p;
    t->next = p->threads;
    p->threads = t;
    memcpy(t->name, read->name, sizeof t->name);
    t->name[sizeof t->name - 1] = 0;
    t->cpu = -1;
    t->since = CT_READ_NEVER;
    t->start_point = t->exit_point = CT_READ_NEVER;
    t->row.end = t->row.forgotten_end = CT_READ_NEVER;
    read->user = t;
    if (m->sink->thread)
        m->sink->thread(m->context, t);
    return t;
}

void ct_model_rename(struct ct_model *m, struct ct_model_thread *t, struct ct_text name)
{
    size_t size = name.size < sizeof t->name ? name.size : sizeof t->name - 1;

    if (size == 0 || (strlen(t->name) == size && memcmp(t->name, name.at, size) == 0))
        return;
    memcpy(t->name, name.at, size);
    t->name[size] = 0;
    if (m->sink->thread)
        m->sink->thread(m->context, t);
}

/* --- generations --- */

void ct_model_thread_exit(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    if (t->exited)
        return;
    t->exited = true;
    ct_span_end_all(m, t, ns);
    ct_thread_state(m, t, CT_STATE_UNKNOWN, 0, 0, ns);
    ct_lanes_leave(m, t, ns);
}

/* A thread that says nothing for a second is still there: its row tells what it does. */
static void take_row(struct ct_model *m, const struct ct_read_thread_row *row, int64_t ns)
{
    struct ct_model_thread *t = row->thread->user ? row->thread->user : ct_model_thread_new(m, row->thread);
    int64_t since = row->since_ns == CT_READ_NEVER ? ns : row->since_ns;

    if (!t || t->exited || row->state == CT_THREAD_EXITED)
        return;
    ct_model_rename(m, t, (struct ct_text){ row->thread->name, strnlen(row->thread->name, CT_NAME_MAX) });
    if (row->thread->start_ns != CT_READ_NEVER && row->thread->start_ns > ns)
        return;                         /* born within the generation: its events tell */
    if (t->scheduled)
        return;
    if (t->cpu < 0 && row->cpu >= 0)
        ct_lanes_seen(m, t, row->cpu, ns);
    if (since > ns || since < t->since)
        return;                         /* the row was read while the thread moved on, or is stale: events tell */
    if (row->state == CT_THREAD_WAITING) {
        struct ct_read_thread_row sure = *row;

        sure.since_ns = since;
        if (row->reason == CT_EV_SCHED_OUT && row->since_ns != CT_READ_NEVER)
            ct_kernel_row(m, t, &sure);
        else
            ct_span_wait_from_row(m, t, &sure);
    } else if (row->state == CT_THREAD_IN_CALL) {
        if (t->waits == 0 && t->state != CT_STATE_CALL)
            ct_thread_state(m, t, CT_STATE_CALL, 0, (unsigned)row->reason, since);
    } else if (row->state == CT_THREAD_RUNNING) {
        if (t->waits > 0 && since > t->since)   /* the end of its wait was among events that were dropped */
            ct_span_drop_waits(m, t, since);
        if (t->state == CT_STATE_UNKNOWN)
            ct_thread_state(m, t, CT_STATE_RUNNING, 0, 0, since);
        if (t->state == CT_STATE_RUNNING)
            ct_lanes_enter(m, t, ns, false);
    }
}

static void take_pause(struct ct_model *m, struct ct_pause *pause)
{
    if (m->sink->pause && ct_model_clip(m, &pause->start, &pause->end))
        m->sink->pause(m->context, pause);
}

/* Somebody who read a trace while it was made, and too slowly, lacks whole generations of it. */
static void take_missing(struct ct_model *m, struct ct_model_program *p, const struct ct_read_generation *g)
{
    int64_t end = g->start_ns - (g->pause_ns > 0 ? g->pause_ns : 0);

    if (p->generation && g->number > p->generation + 1 && end > p->generation_end_ns)
        take_pause(m, &(struct ct_pause){ .program = p, .start = p->generation_end_ns, .end = end,
                                          .missing = g->number - p->generation - 1 });
    if (g->number > p->generation) {
        p->generation = g->number;
        p->generation_end_ns = g->end_ns;
    }
}

static void take_generation(struct ct_model *m, const struct ct_read_generation *g)
{
    struct ct_model_program *p = program_of(m, g->program);

    if (!p)
        return;
    take_missing(m, p, g);
    if (g->pause_ns > 0)
        take_pause(m, &(struct ct_pause){ p, g->start_ns - g->pause_ns, g->start_ns, g->pause_ns,
                                          g->pause_kind == CT_PAUSE_START ? CT_PAUSE_START : CT_PAUSE_TURN, 0 });
    if (g->stop_ns >= 0)
        take_pause(m, &(struct ct_pause){ p, g->end_ns - g->stop_ns, g->end_ns, g->stop_ns, CT_PAUSE_STOP, 0 });
    for (size_t i = 0; i < g->row_count; i++)
        take_row(m, &g->rows[i], g->start_ns);
}

static void program_end(struct ct_model *m, struct ct_model_program *p, int64_t ns)
{
    if (p->ended)
        return;
    p->ended = true;
    for (struct ct_model_thread *t = p->threads; t; t = t->next) {
        int64_t exit_ns = t->read->exit_ns;

        ct_model_thread_exit(m, t, exit_ns != CT_READ_NEVER && exit_ns < ns ? exit_ns : ns);
    }
    ct_tasks_end_all(m, p, ns);
    ct_counts_finish(m, p);
    ct_counts_heap(m, p, p->heap_total, ns);    /* or the viewer would end it where it changed last */
    ct_counts_free(p->counts);
    p->counts = NULL;
    ct_fds_fini(&p->fds);
    if (m->sink->program_end)
        m->sink->program_end(m->context, p, ns);
}

/* What is not an event. */
static void take_other(struct ct_model *m, const struct ct_read_item *item)
{
    if (item->kind == CT_READ_GENERATION)
        take_generation(m, item->generation);
    else if (item->program->user)
        program_end(m, item->program->user, item->ns);
}

/* Asks for what an event that comes soon needs of its thread: of many threads the nearest cache does not hold all. */
static inline void expect(const struct ct_read_event *soon)
{
    const struct ct_model_thread *t = soon->thread->user;

    if (!t)
        return;
    __builtin_prefetch(&t->point);
    __builtin_prefetch(&t->row);
    __builtin_prefetch(t->user);
    __builtin_prefetch(t->near);
}

/* Asks for what comes soon while it is at the events before: another thread had them last, and it takes a while until they are here. */
static void take_events(struct ct_model *m, const struct ct_read_item *items, size_t count)
{
    enum { AHEAD = 10, TEXT_AHEAD = 4 };
    const struct ct_read_item *end = items + count, *last = end - 1;

    for (const struct ct_read_item *item = items; item < end; item++) {
        const struct ct_read_item *soon = last - item > TEXT_AHEAD ? item + TEXT_AHEAD : last;
        uintptr_t later = (uintptr_t)item + AHEAD * sizeof *item;       /* behind the last one it does no harm */

        __builtin_prefetch((const void *)later);
        __builtin_prefetch((const void *)(later + sizeof *item / 2));
        __builtin_prefetch(soon->event.text.at ? soon->event.text.at : (const char *)soon);
        expect(&soon->event);
        ct_model_event(m, &item->event);
    }
}

int ct_model_items(struct ct_model *m, const struct ct_read_item *items, size_t count)
{
    if (count == 0)
        return m->no_memory ? -ENOMEM : 0;
    if (items[0].kind == CT_READ_EVENT)
        take_events(m, items, count);
    else
        take_other(m, items);           /* alone */
    m->now = items[count - 1].ns;
    return m->no_memory ? -ENOMEM : 0;
}

void ct_model_end(struct ct_model *m, int64_t ns)
{
    for (unsigned i = 0; i < ct_reader_program_count(m->reader); i++) {
        struct ct_read_program *read = ct_reader_program(m->reader, i);

        if (read->user)
            program_end(m, read->user, ns);
    }
}

void ct_model_finish(struct ct_model *m)
{
    int64_t end = ct_reader_end_ns(m->reader);

    if (end > m->options.to_ns)
        end = m->options.to_ns;
    if (end < m->now)
        end = m->now;
    ct_model_end(m, end);
}
