/*
 * Gathers the profiles of one program from its events: where it ran, what it allocated and still holds, where it waited
 * for locks and who held them, who created its threads.
 *
 * Items may come from several readers, one after the other, as long as they tell of the same program in the order of
 * time: what is under way at the end of one (a wait, a block that was not freed) is remembered for the next.  Memory
 * grows with distinct stacks, threads and sampled blocks in use, all of which are bounded, not with time.
 */
#pragma once

#include "converter/model/stacks.h"
#include "converter/profile/pauses.h"
#include "converter/profile/tally.h"
#include "converter/read/reader.h"

enum ct_collect_kind {
    CT_COLLECT_CPU,                     /* values: samples, ns of CPU time; tag: set of labels */
    CT_COLLECT_HEAP,                    /* values: objects and bytes allocated, objects and bytes in use */
    CT_COLLECT_BLOCK,                   /* values: waits, ns; charged to who waited; tag: number of the BEGIN event */
    CT_COLLECT_MUTEX,                   /* values: contended unlocks, ns that others waited; charged to who held the lock */
    CT_COLLECT_THREADS,                 /* values: threads created */
    CT_COLLECT_END
};

/* What is known beside the rows. */
struct ct_collect_facts {
    int64_t from_ns, to_ns;             /* of what was gathered so far, CLOCK_REALTIME; CT_READ_NEVER: nothing */
    uint64_t heap_rate;                 /* mean bytes between samples, as of the last sample; 0: none came */
    uint64_t cpu_period_ns;             /* the least weight of a sample: the timer's period; 0: none came */
    uint64_t events_lost;               /* dropped by the program for want of room */
    uint64_t blocks_lost;               /* sampled blocks that found no place: their frees were not followed */
};

struct ct_collect;

/* NULL without memory. */
struct ct_collect *ct_collect_new(void);
/* Takes NULL. */
void ct_collect_free(struct ct_collect *c);

/* Call before the first item of each reader. */
void ct_collect_reader(struct ct_collect *c);
/* Takes one item of the program's in; 0 or -ENOMEM. */
int ct_collect_item(struct ct_collect *c, const struct ct_read_item *item);

/* The rows of one kind; borrowed, changed by the next item. */
const struct ct_tally *ct_collect_tally(const struct ct_collect *c, enum ct_collect_kind kind);
/* What the rows' nodes are. */
const struct ct_stacks *ct_collect_stacks(const struct ct_collect *c);
/* Times in which a thread waited for memory; borrowed, changed by the next item. */
const struct ct_pauses *ct_collect_pauses(const struct ct_collect *c);
/* Threads that were seen and have not ended. */
size_t ct_collect_thread_count(const struct ct_collect *c);
/* The labels of a CPU row's tag: "key\0value\0key\0value\0"; empty for tag 0.  Borrowed. */
struct ct_text ct_collect_labels(const struct ct_collect *c, uint32_t tag);

/* The path of the program, and its modules so far; borrowed. */
struct ct_text ct_collect_program(const struct ct_collect *c);
const struct ct_module_row *ct_collect_modules(const struct ct_collect *c, size_t *ret_count);

void ct_collect_facts(const struct ct_collect *c, struct ct_collect_facts *ret);
