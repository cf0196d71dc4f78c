/* Intervals of addresses that can be asked which of them holds an address. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ct_interval {
    uint64_t low, high; /* [low, high) */
    uint64_t reach;     /* highest `high` of this and all earlier ones: where a search may end */
    uint32_t value;     /* whatever the owner counts by */
    uint32_t rank;      /* of intervals that start together the highest rank answers */
};

/* Zeroed is empty.  ct_intervals_fini takes it back to that. */
struct ct_intervals {
    struct ct_interval *items;
    size_t count, room;
};

/* Adds [low, high); an empty or backward one is ignored.  0 or -ENOMEM. */
int ct_intervals_add(struct ct_intervals *intervals, uint64_t low, uint64_t high, uint32_t value,
                     uint32_t rank);

/* To be called after the last add and before the first find. */
void ct_intervals_sort(struct ct_intervals *intervals);

/*
 * The interval with the highest start that holds `address`, or NULL.  Borrowed until the next add.
 */
const struct ct_interval *ct_intervals_find(const struct ct_intervals *intervals, uint64_t address);

void ct_intervals_fini(struct ct_intervals *intervals);
