/* States of threads, who was on which CPU, and what lanes sum up of both.  HOT: two calls a wait. */
#include "converter/index/builder.h"

enum { GUESS_NS = 20000 };              /* a guess shorter than this is as good as known */

void ct_build_state(void *context, const struct ct_state_span *s)
{
    struct ct_builder *b = context;
    struct ct_build_thread *t = s->thread->user ? s->thread->user : ct_build_thread_of(b, s->thread);
    uint32_t name;
    unsigned class;

    if (!t || (!t->state && !(t->state = ct_build_row(b, t->lane, CT_ROW_STATE, 0, ""))))
        return;
    name = ct_build_state_name(b, s);
    class = b->names.list.items[name].class;
    t->ns[class] += s->end - s->start;
    if (class == CT_CLASS_RUNNING)
        t->busy += s->end - s->start;
    ct_build_put(b, t->state, s->start, s->end, name, NULL, 0);
    ct_build_seen(b, t, s->start, s->end);
    ct_build_bins(b, class == CT_CLASS_RUNNING ? b->summary.running : b->summary.waiting, s->start, s->end);
}

/* A CPU's slices are called as the thread that runs; those of a guess are of a class of their own. */
static __attribute__((noinline)) void make_running_names(struct ct_builder *b, struct ct_build_thread *t)
{
    size_t before = b->names.list.count;
    struct ct_name_record record = { .text = b->lanes.items[t->lane].name, .lane = t->lane, .class = CT_CLASS_RUNNING };

    t->running = ct_names_of(&b->names, &record);
    record.class = CT_CLASS_MAYBE;
    t->maybe = ct_names_of(&b->names, &record);
    b->revision += b->names.list.count != before;
}

void ct_build_on_cpu(void *context, const struct ct_lane_span *s)
{
    struct ct_builder *b = context;
    struct ct_build_thread *t = s->thread->user ? s->thread->user : ct_build_thread_of(b, s->thread);
    struct ct_row_live *row = s->host == 0 && (unsigned)s->cpu < CT_NEAR_CPUS ? b->near_cpu[s->cpu] : NULL;
    int64_t sure = s->seen;

    if (!row)
        row = ct_build_cpu_row(b, s->host, s->cpu, s->exact, s->thread->program->read);
    if (!t || !row)
        return;
    if (!t->running)
        make_running_names(b, t);
    if (s->end - sure < GUESS_NS)
        sure = s->end;
    if (sure > s->start)
        ct_build_put(b, row, s->start, sure, t->running, NULL, 0);
    if (s->end > sure)
        ct_build_put(b, row, sure, s->end, t->maybe, NULL, 0);
    row->busy += s->end - s->start;
    if (s->start < row->start)
        row->start = s->start;
    if (s->end > row->end)
        row->end = s->end;
}

/* --- sums --- */

void ct_build_changed(struct ct_builder *b, struct ct_build_thread *t)
{
    t->changed = b->changed ? b->changed : t;
    b->changed = t;
}

void ct_build_settle_lanes(struct ct_builder *b)
{
    struct ct_build_thread *t = b->changed;

    for (b->changed = NULL; t;) {
        struct ct_lane_record *lane = &b->lanes.items[t->lane];
        struct ct_build_thread *next = t->changed != t ? t->changed : NULL;

        lane->start = t->start;
        lane->end = t->seen;
        lane->busy = t->busy;
        memcpy(lane->ns, t->ns, sizeof lane->ns);
        t->changed = NULL;
        t = next;
    }
    for (size_t i = 0; i < b->cpus.count; i++) {
        const struct ct_row_live *row = b->cpus.items[i];
        struct ct_lane_record *lane = &b->lanes.items[row->record.lane];

        lane->start = row->start;
        lane->end = row->end;
        lane->busy = row->busy;
    }
}
