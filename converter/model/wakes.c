/* Objects waited for in a chained table, and beside each chain the last wake of an object that may not be waited for yet. */
#include "converter/model/wakes.h"

#include <stdlib.h>
#include <string.h>

#include "converter/read/expect.h"

enum {
    SLOTS = 1024,
    EARLY_NS = 10000,                   /* how much older than its wait a wake may be */
};

struct ct_waited {
    struct ct_waited *next, **at;       /* at: what points to it */
    const struct slot *slot;
    uint64_t address;
    unsigned program, waiters;
    struct ct_wake wake[2];             /* the last two of different threads, newest first */
};

/* What a wait and a wake look at of all objects with one hash is one line of memory. */
struct slot {
    _Alignas(CT_LINE) struct ct_waited *first;
    struct recent {
        uint64_t address;
        unsigned program;
        struct ct_wake wake;
    } recent;
};

struct ct_wakes {
    struct slot slot[SLOTS];
    struct ct_waited *spare;            /* entries to use again */
};

static struct slot *slot_of(struct ct_wakes *w, unsigned program, uint64_t address)
{
    return &w->slot[((address ^ program) * 0x9e3779b97f4a7c15u) >> 40 & (SLOTS - 1)];
}

struct ct_wakes *ct_wakes_new(void)
{
    struct ct_wakes *w = aligned_alloc(CT_LINE, sizeof *w);

    if (w)
        memset(w, 0, sizeof *w);
    return w;
}

static void free_list(struct ct_waited *o)
{
    while (o) {
        struct ct_waited *next = o->next;

        free(o);
        o = next;
    }
}

void ct_wakes_free(struct ct_wakes *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < SLOTS; i++)
        free_list(w->slot[i].first);
    free_list(w->spare);
    free(w);
}

/* Where the pointer to the object stands, or where a new one goes. */
static struct ct_waited **place(struct slot *slot, unsigned program, uint64_t address)
{
    struct ct_waited **at = &slot->first;

    while (*at && ((*at)->address != address || (*at)->program != program))
        at = &(*at)->next;
    return at;
}

struct ct_waited *ct_wakes_wait(struct ct_wakes *w, unsigned program, uint64_t address)
{
    struct slot *slot = slot_of(w, program, address);
    struct ct_waited **at = place(slot, program, address);
    struct ct_waited *o = *at;

    if (!o) {
        o = w->spare;
        if (o)
            w->spare = o->next;
        else if (!(o = malloc(sizeof *o)))
            return NULL;                /* this wait has no waker then */
        *o = (struct ct_waited){ .at = at, .slot = slot, .address = address, .program = program };
        *at = o;
    }
    o->waiters++;
    return o;
}

void ct_wakes_unwait(struct ct_wakes *w, struct ct_waited *o)
{
    if (!o || --o->waiters > 0)
        return;
    *o->at = o->next;
    if (o->next)
        o->next->at = o->at;
    o->next = w->spare;
    w->spare = o;
}

void ct_wakes_wake(struct ct_wakes *w, unsigned program, uint64_t address, struct ct_wake wake)
{
    struct slot *slot = slot_of(w, program, address);
    struct ct_waited *o = *place(slot, program, address);

    slot->recent = (struct recent){ address, program, wake };
    if (!o)
        return;
    if (o->wake[0].thread != wake.thread)
        o->wake[1] = o->wake[0];
    o->wake[0] = wake;
}

struct ct_wake ct_wakes_of(const struct ct_waited *o, const struct ct_model_thread *self, int64_t begin_ns)
{
    const struct recent *r;

    for (unsigned i = 0; o && i < 2; i++)
        if (o->wake[i].thread && o->wake[i].thread != self && o->wake[i].ns >= begin_ns)
            return o->wake[i];
    r = o ? &o->slot->recent : NULL;
    if (r && r->wake.thread && r->wake.thread != self && r->address == o->address && r->program == o->program &&
        r->wake.ns >= begin_ns - EARLY_NS)
        return r->wake;
    return (struct ct_wake){ 0 };
}
