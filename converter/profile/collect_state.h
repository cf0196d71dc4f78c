/* What the parts of collect share: threads, their waits and labels. */
#pragma once

#include "converter/model/args.h"
#include "converter/profile/collect.h"
#include "converter/model/label_sets.h"
#include "converter/profile/live.h"
#include "converter/profile/module_list.h"

enum { CT_COLLECT_WAITS = 8, CT_COLLECT_CHAINS = 1024, CT_COLLECT_THREADS_MAX = 1 << 20 };

#define CT_COLLECT_NOBODY UINT32_MAX

/* A wait under way; those for locks are chained by the hash of their lock, so that who gives it up finds them. */
struct ct_collect_wait {
    uint64_t object;
    int64_t since, charged;             /* charged: until when a holder has been charged for it */
    uint32_t node;
    uint16_t no;                        /* of the BEGIN event */
    bool chained;
    uint32_t next, previous;            /* numbers of waits; CT_COLLECT_NOBODY ends */
};

/* What WAIT_SAMPLE or UNLOCK_SAMPLE said of what its thread tells next. */
struct ct_collect_sample {
    uint64_t rate;                      /* 0: it was not taken */
    uint32_t node;
    bool told;
};

struct ct_collect_thread {
    uint64_t serial;
    int64_t collecting;                 /* since when a collector of the program runs here; 0: none does */
    uint32_t labels;                    /* set of labels */
    struct ct_collect_sample wait, unlock;
    uint32_t depth;                     /* waits under way; beyond CT_COLLECT_WAITS they are only counted */
    struct ct_collect_wait waits[CT_COLLECT_WAITS];
};

struct ct_collect {
    struct ct_tally tally[CT_COLLECT_END];
    struct ct_stacks *stacks;
    struct ct_live live;
    struct ct_label_sets labels;
    CT_LIST(struct ct_collect_thread) threads;
    CT_LIST(uint32_t) free_places;      /* in threads, of those that ended */
    struct ct_idmap thread_places;      /* by serial; a place whose thread has another serial by now is no place */
    uint32_t chains[CT_COLLECT_CHAINS];
    struct ct_module_list modules;
    char *program;                      /* its path */
    struct ct_collect_facts facts;
    struct ct_pauses pauses;
    uint64_t last_generation;           /* whose losses were counted */
};

/* The thread with this serial, which is not over, new or old; NULL without memory, and beyond any number of threads that a program has. */
struct ct_collect_thread *ct_collect_thread(struct ct_collect *c, uint64_t serial);
/* Whether it ended: what comes of it late belongs to nobody. */
bool ct_collect_thread_over(const struct ct_collect *c, uint64_t serial);
/* It has ended: its place is free for another.  0 or -ENOMEM. */
int ct_collect_thread_gone(struct ct_collect *c, uint64_t serial);
/* Forgets the waits that a thread was in. */
void ct_collect_wait_forget(struct ct_collect *c, struct ct_collect_thread *t);

/* When it was on the wall clock: times of one reader mean nothing to the next. */
static inline int64_t ct_collect_now(const struct ct_read_event *e)
{
    return e->ns + e->thread->program->realtime_offset_ns;
}

/* Adds to a row's values 0 and 1; 0 or -ENOMEM. */
int ct_collect_add(struct ct_collect *c, enum ct_collect_kind kind, uint32_t node, uint32_t tag, double first, double second);

/* The events that each part takes; others are not handed to it. */
int ct_collect_alloc(struct ct_collect *c, const struct ct_read_event *e);
int ct_collect_free_sample(struct ct_collect *c, const struct ct_read_event *e);
int ct_collect_wait_begin(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e);
int ct_collect_wait_end(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e);
int ct_collect_lock_call(struct ct_collect *c, const struct ct_read_event *e);
int ct_collect_unlock(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e);
void ct_collect_sampled(struct ct_collect *c, struct ct_collect_thread *t, const struct ct_read_event *e);
