/*
 * Waits: "block" charges who waited, when the wait is over; "mutex" charges who held the lock, when it gives it up, with
 * the time that all who wait have lost since they came or since the last one who gave it up was charged.
 */
#include "converter/profile/collect_state.h"

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
    struct ct_collect_wait *w;

    if (t->depth == 0 || --t->depth >= CT_COLLECT_WAITS)
        return 0;
    w = &t->waits[t->depth];
    unchain(c, w);
    if (w->no == CT_EV_SLEEP)
        return 0;                       /* asked for, and nobody's fault */
    return ct_collect_add(c, CT_COLLECT_BLOCK, w->node, w->no, 1, (double)(ct_collect_now(e) - w->since));
}

void ct_collect_wait_forget(struct ct_collect *c, struct ct_collect_thread *t)
{
    for (unsigned i = 0; i < t->depth && i < CT_COLLECT_WAITS; i++)
        unchain(c, &t->waits[i]);
    t->depth = 0;
}

int ct_collect_unlock(struct ct_collect *c, const struct ct_read_event *e)
{
    uint64_t object = ct_args_UNLOCK_WAKE(e->arg)->object;
    int64_t now = ct_collect_now(e);
    double lost = 0;
    bool waited = false;

    for (uint32_t i = *chain_of(c, object); i != CT_COLLECT_NOBODY; i = wait_at(c, i)->next) {
        struct ct_collect_wait *w = wait_at(c, i);

        if (w->object != object)
            continue;
        waited = true;
        lost += (double)(now - w->charged);
        w->charged = now;
    }
    if (!waited)
        return 0;
    return ct_collect_add(c, CT_COLLECT_MUTEX, ct_stacks_of(c->stacks, e->generation, ct_args_UNLOCK_WAKE(e->arg)->at), 0, 1, lost);
}
