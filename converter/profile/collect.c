/* Hands each event to the part that knows it, and keeps the books of threads and times. */
#include "converter/profile/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/collect_state.h"

struct ct_collect *ct_collect_new(void)
{
    struct ct_collect *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->facts.from_ns = c->facts.to_ns = CT_READ_NEVER;
    for (unsigned i = 0; i < CT_COLLECT_CHAINS; i++)
        c->chains[i] = CT_COLLECT_NOBODY;
    c->stacks = ct_stacks_new(64);
    if (c->stacks)
        return c;
    ct_collect_free(c);
    return NULL;
}

void ct_collect_free(struct ct_collect *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < CT_COLLECT_END; i++)
        ct_tally_fini(&c->tally[i]);
    ct_stacks_free(c->stacks);
    ct_live_fini(&c->live);
    ct_label_sets_fini(&c->labels);
    ct_module_list_fini(&c->modules);
    free(c->program);
    ct_list_fini(&c->threads);
    ct_list_fini(&c->free_places);
    ct_idmap_fini(&c->thread_places);
    free(c);
}

const struct ct_tally *ct_collect_tally(const struct ct_collect *c, enum ct_collect_kind kind)
{
    return &c->tally[kind];
}

const struct ct_stacks *ct_collect_stacks(const struct ct_collect *c)
{
    return c->stacks;
}

struct ct_text ct_collect_labels(const struct ct_collect *c, uint32_t tag)
{
    return ct_label_set_text(&c->labels, tag);
}

struct ct_text ct_collect_program(const struct ct_collect *c)
{
    return (struct ct_text){ c->program ? c->program : "", c->program ? strlen(c->program) : 0 };
}

const struct ct_module_row *ct_collect_modules(const struct ct_collect *c, size_t *ret_count)
{
    *ret_count = c->modules.rows.count;
    return c->modules.rows.items;
}

void ct_collect_facts(const struct ct_collect *c, struct ct_collect_facts *ret)
{
    *ret = c->facts;
    ret->blocks_lost = c->live.refused;
}

const struct ct_pauses *ct_collect_pauses(const struct ct_collect *c)
{
    return &c->pauses;
}

int ct_collect_add(struct ct_collect *c, enum ct_collect_kind kind, uint32_t node, uint32_t tag, double first, double second)
{
    struct ct_tally *tally = &c->tally[kind];
    uint32_t place;
    int r = ct_tally_place(tally, node, tag, &place);

    if (r < 0)
        return r;
    tally->rows.items[place].value[0] += first;
    tally->rows.items[place].value[1] += second;
    return 0;
}

static int take_cpu(struct ct_collect *c, const struct ct_collect_thread *t, const struct ct_read_event *e)
{
    uint64_t weight = ct_args_CPU_SAMPLE(e->arg)->weight;

    if (weight == 0)
        return 0;
    if (c->facts.cpu_period_ns == 0 || weight < c->facts.cpu_period_ns)
        c->facts.cpu_period_ns = weight;
    return ct_collect_add(c, CT_COLLECT_CPU, ct_stacks_of(c->stacks, e->generation, ct_args_CPU_SAMPLE(e->arg)->at), t->labels, 1,
                          (double)weight);
}

static int take_label(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e)
{
    struct ct_text key, value;

    if (!ct_read_string(e->generation, ct_args_LABEL(e->arg)->key, &key) ||
        !ct_read_string(e->generation, ct_args_LABEL(e->arg)->value, &value))
        return 0;
    return ct_label_set_with(&c->labels, t->labels, key, value, &t->labels);
}

/* One without a duration was too short to be looked at. */
static int take_heap(struct ct_collect *c, const struct ct_read_event *e)
{
    uint64_t dur = e->no == CT_EV_HEAP_GROW ? ct_args_HEAP_GROW(e->arg)->dur : ct_args_HEAP_SHRINK(e->arg)->dur;

    if (dur > 0 && dur <= INT64_MAX / 2)
        ct_pauses_add(&c->pauses, (int64_t)dur, ct_collect_now(e));
    return 0;
}

static int take_collector(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e)
{
    int64_t now = ct_collect_now(e);

    if (e->no == CT_EV_GC_END && t->collecting && now > t->collecting)
        ct_pauses_add(&c->pauses, now - t->collecting, now);
    t->collecting = e->no == CT_EV_GC_BEGIN ? now : 0;
    return 0;
}

/* What belongs to a thread. */
static int take_threads_event(struct ct_collect *c, const struct ct_read_event *e)
{
    struct ct_collect_thread *t;

    if (ct_collect_thread_over(c, e->thread->serial))
        return 0;
    t = ct_collect_thread(c, e->thread->serial);
    if (!t)
        return -ENOMEM;
    switch (e->no) {
    case CT_EV_CPU_SAMPLE:
        return take_cpu(c, t, e);
    case CT_EV_LABEL:
        return take_label(c, t, e);
    case CT_EV_GC_BEGIN:
    case CT_EV_GC_END:
        return take_collector(c, t, e);
    case CT_EV_LOCK_CALL:
        return ct_collect_lock_call(c, e);
    case CT_EV_UNLOCK_WAKE:
        return ct_collect_unlock(c, t, e);
    case CT_EV_WAIT_SAMPLE:
    case CT_EV_UNLOCK_SAMPLE:
        ct_collect_sampled(c, t, e);
        return 0;
    case CT_EV_WAIT_DONE:
    case CT_EV_WAIT_FAILED:
        return ct_collect_wait_end(c, t, e);
    default:
        return e->no >= CT_EV_MUTEX_WAIT && e->no <= CT_EV_SLEEP ? ct_collect_wait_begin(c, t, e) : 0;
    }
}

static int take_create(struct ct_collect *c, const struct ct_read_event *e)
{
    if ((int64_t)ct_args_THREAD_CREATE(e->arg)->result < 0)
        return 0;
    return ct_collect_add(c, CT_COLLECT_THREADS, ct_stacks_of(c->stacks, e->generation, ct_args_THREAD_CREATE(e->arg)->at), 0, 1, 0);
}

static int take_event(struct ct_collect *c, const struct ct_read_event *e)
{
    switch (e->no) {
    case CT_EV_ALLOC_SAMPLE:
        return ct_collect_alloc(c, e);
    case CT_EV_FREE_SAMPLE:
        return ct_collect_free_sample(c, e);
    case CT_EV_THREAD_CREATE:
        return take_create(c, e);
    case CT_EV_THREAD_EXIT:
        return ct_collect_thread_gone(c, e->thread->serial);
    case CT_EV_HEAP_GROW:
    case CT_EV_HEAP_SHRINK:
        return take_heap(c, e);
    default:
        return take_threads_event(c, e);
    }
}

static int take_program(struct ct_collect *c, const struct ct_read_program *program)
{
    if (!c->program) {
        c->program = strndup(program->run.program.at ? program->run.program.at : "", program->run.program.size);
        if (!c->program)
            return -ENOMEM;
    }
    return ct_module_list_take(&c->modules, program);
}

/* Its row says of one that ends later in the generation too that it ended; `since` is then what it did before that. */
static bool was_over(const struct ct_read_thread_row *row, int64_t ns)
{
    int64_t end = row->thread->exit_ns;

    if (end == CT_READ_NEVER && row->state == CT_THREAD_EXITED)
        end = row->since_ns;
    return end != CT_READ_NEVER && end < ns;
}

/* A thread that has nothing to tell is there all the same. */
static int take_thread_row(struct ct_collect *c, const struct ct_read_generation *g, const struct ct_read_thread_row *row)
{
    uint64_t serial = row->thread->serial;

    if (row->ended)
        return was_over(row, g->start_ns) ? ct_collect_thread_gone(c, serial) : 0;
    return ct_collect_thread_over(c, serial) || ct_collect_thread(c, serial) ? 0 : -ENOMEM;
}

static int take_generation(struct ct_collect *c, const struct ct_read_generation *g)
{
    int r = take_program(c, g->program);

    if (r < 0 || g->number <= c->last_generation)
        return r;
    c->last_generation = g->number;
    c->facts.events_lost += g->events_lost;
    for (size_t i = 0; i < g->row_count && r == 0; i++)
        r = take_thread_row(c, g, &g->rows[i]);
    return r;
}

void ct_collect_reader(struct ct_collect *c)
{
    ct_module_list_restart(&c->modules);
}

int ct_collect_item(struct ct_collect *c, const struct ct_read_item *item)
{
    int64_t now = item->ns + ct_read_program_of(item)->realtime_offset_ns;

    if (c->facts.from_ns == CT_READ_NEVER)
        c->facts.from_ns = now;
    if (c->facts.to_ns == CT_READ_NEVER || now > c->facts.to_ns)
        c->facts.to_ns = now;
    if (item->kind == CT_READ_GENERATION)
        return take_generation(c, item->generation);
    return item->kind == CT_READ_EVENT && item->event.no ? take_event(c, &item->event) : 0;
}
