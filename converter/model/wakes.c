/* Objects waited for in a chained table; wakes of objects that nobody waits for yet in a small direct-mapped one. */
#include "converter/model/wakes.h"

#include <stdlib.h>

enum {
    BUCKETS = 4096,
    RECENT = 512,
    EARLY_NS = 10000,                   /* how much older than its wait a wake may be */
};

struct ct_waited {
    struct ct_waited *next, **at;       /* at: what points to it */
    uint64_t address;
    unsigned program, waiters;
    struct ct_wake wake[2];             /* the last two of different threads, newest first */
};

struct recent {
    uint64_t address;
    unsigned program;
    struct ct_wake wake;
};

struct ct_wakes {
    struct ct_waited *bucket[BUCKETS];
    struct ct_waited *spare;            /* entries to use again */
    struct recent recent[RECENT];
};

static unsigned hash(unsigned program, uint64_t address)
{
    return (unsigned)(((address ^ program) * 0x9e3779b97f4a7c15u) >> 40);
}

struct ct_wakes *ct_wakes_new(void)
{
    return calloc(1, sizeof(struct ct_wakes));
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
    for (unsigned i = 0; i < BUCKETS; i++)
        free_list(w->bucket[i]);
    free_list(w->spare);
    free(w);
}

/* Where the pointer to the object stands, or where a new one goes. */
static struct ct_waited **place(const struct ct_wakes *w, unsigned program, uint64_t address)
{
    struct ct_waited **at = (struct ct_waited **)&w->bucket[hash(program, address) % BUCKETS];

    while (*at && ((*at)->address != address || (*at)->program != program))
        at = &(*at)->next;
    return at;
}

struct ct_waited *ct_wakes_wait(struct ct_wakes *w, unsigned program, uint64_t address)
{
    struct ct_waited **at = place(w, program, address);
    struct ct_waited *o = *at;

    if (!o) {
        o = w->spare;
        if (o)
            w->spare = o->next;
        else if (!(o = malloc(sizeof *o)))
            return NULL;                /* this wait has no waker then */
        *o = (struct ct_waited){ .at = at, .address = address, .program = program };
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
    struct ct_waited *o = *place(w, program, address);

    w->recent[hash(program, address) % RECENT] = (struct recent){ address, program, wake };
    if (!o)
        return;
    if (o->wake[0].thread != wake.thread)
        o->wake[1] = o->wake[0];
    o->wake[0] = wake;
}

struct ct_wake ct_wakes_of(const struct ct_wakes *w, const struct ct_waited *o, const struct ct_model_thread *self, int64_t begin_ns)
{
    const struct recent *r;

    for (unsigned i = 0; o && i < 2; i++)
        if (o->wake[i].thread && o->wake[i].thread != self && o->wake[i].ns >= begin_ns)
            return o->wake[i];
    r = o ? &w->recent[hash(o->program, o->address) % RECENT] : NULL;
    if (r && r->wake.thread && r->wake.thread != self && r->address == o->address && r->program == o->program &&
        r->wake.ns >= begin_ns - EARLY_NS)
        return r->wake;
    return (struct ct_wake){ 0 };
}
