/*
 * Waits: "block" charges who waited, when the wait is over; "mutex" charges who held the lock, when it gives it up, with
 * the time that all who wait have lost since they came or since the last one who gave it up was charged.
 */
#include "converter/profile/collect_state.h"
#include "converter/profile/sampling.h"

static struct ct_collect_wait *wait_at(struct ct_collect *c, uint32_t number)
{
    return &c->threads.items[number / CT_COLLECT_WAITS].waits[number % CT_COLLECT_WAITS];
}

static uint32_t *chain_of(struct ct_collect *c, uint64_t object)
{
    return &c->chains[ct_idmap_hash(object) % CT_COLLECT_CHAINS];
}

static void chain(struct ct_collect *c, uint32_t number)
{
    struct ct_collect_wait *w = wait_at(c, number);
    uint32_t *head = chain_of(c, w->object);

    w->chained = true;
    w->previous = CT_COLLECT_NOBODY;
    w->next = *head;
    if (*head != CT_COLLECT_NOBODY)
        wait_at(c, *head)->previous = number;
    *head = number;
}

static void unchain(struct ct_collect *c, struct ct_collect_wait *w)
{
    if (!w->chained)
        return;
    w->chained = false;
    if (w->previous == CT_COLLECT_NOBODY)
        *chain_of(c, w->object) = w->next;
    else
        wait_at(c, w->previous)->next = w->next;
    if (w->next != CT_COLLECT_NOBODY)
        wait_at(c, w->next)->previous = w->previous;
}

static bool is_lock(unsigned no)
{
    return no == CT_EV_MUTEX_WAIT || no == CT_EV_RWLOCK_READ_WAIT || no == CT_EV_RWLOCK_WRITE_WAIT;
}

int ct_collect_wait_begin(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e)
{
    uint32_t number = (uint32_t)(t - c->threads.items) * CT_COLLECT_WAITS + t->depth;
    int64_t now = ct_collect_now(e);
    struct ct_collect_wait *w;

    if (t->depth++ >= CT_COLLECT_WAITS)
        return 0;
    w = wait_at(c, number);
    *w = (struct ct_collect_wait){
        .object = e->arg[0], .since = now, .charged = now, .no = e->no,
        .node = ct_stacks_of(c->stacks, e->generation, e->arg[e->info->field_count - 1]),
    };
    if (is_lock(e->no))
        chain(c, number);
    return 0;
}

int ct_collect_wait_end(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e)
{
    struct ct_collect_sample sample = t->wait;
    struct ct_sampling_waits sum = { 0 };
    struct ct_collect_wait *w;
    int64_t ns;

    t->wait.told = false;
    if (t->depth == 0 || --t->depth >= CT_COLLECT_WAITS)
        return 0;
    w = &t->waits[t->depth];
    unchain(c, w);
    ns = ct_collect_now(e) - w->since;
    if (w->no == CT_EV_SLEEP)
        return 0;                       /* asked for, and nobody's fault */
    if (sample.told && sample.rate == 0)
        return 0;                       /* others stand for it */
    ct_sampling_wait_add(&sum, ns > 0 ? (uint64_t)ns : 0, sample.told ? sample.rate : 0);
    return ct_collect_add(c, CT_COLLECT_BLOCK, sample.told ? sample.node : w->node, w->no, sum.count, sum.ticks);
}

void ct_collect_sampled(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e)
{
    struct ct_collect_sample sample = {
        .rate = ct_args_WAIT_SAMPLE(e->arg)->rate, .told = true,
        .node = ct_stacks_of(c->stacks, e->generation, ct_args_WAIT_SAMPLE(e->arg)->at),
    };

    *(e->no == CT_EV_WAIT_SAMPLE ? &t->wait : &t->unlock) = sample;
}

void ct_collect_wait_forget(struct ct_collect *c, struct ct_collect_thread *t)
{
    for (unsigned i = 0; i < t->depth && i < CT_COLLECT_WAITS; i++)
        unchain(c, &t->waits[i]);
    t->depth = 0;
}

int ct_collect_lock_call(struct ct_collect *c, const struct ct_read_event *e)
{
    const struct ct_args_LOCK_CALL *a = ct_args_LOCK_CALL(e->arg);

    if (a->at == 0 || a->dur > INT64_MAX)
        return 0;                       /* it was over at once */
    return ct_collect_add(c, CT_COLLECT_BLOCK, ct_stacks_of(c->stacks, e->generation, a->at), e->no, 1, (double)a->dur);
}

int ct_collect_unlock(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e)
{
    struct ct_collect_sample sample = t->unlock;
    struct ct_sampling_waits sum = { 0 };
    uint64_t object = ct_args_UNLOCK_WAKE(e->arg)->object;
    int64_t now = ct_collect_now(e);
    int64_t lost = 0;
    bool waited = false;

    for (uint32_t i = *chain_of(c, object); i != CT_COLLECT_NOBODY; i = wait_at(c, i)->next) {
        struct ct_collect_wait *w = wait_at(c, i);

        if (w->object != object)
            continue;
        waited = true;
        lost += now - w->charged;
        w->charged = now;
    }
    t->unlock.told = false;
    if (!waited || (sample.told && sample.rate == 0))
        return 0;
    ct_sampling_mutex_add(&sum, lost > 0 ? (uint64_t)lost : 0, sample.told ? sample.rate : 1);
    return ct_collect_add(c, CT_COLLECT_MUTEX,
                          sample.told ? sample.node : ct_stacks_of(c->stacks, e->generation, ct_args_UNLOCK_WAKE(e->arg)->at),
                          0, sum.count, sum.ticks);
}
