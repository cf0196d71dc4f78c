/* The sampled allocations that were not freed yet, by address. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ct_live_block {
    uint64_t address;                   /* 0: the slot is free */
    uint32_t place;                     /* of its row in a tally */
    double objects, bytes;              /* what it stands for */
};

/* Zeroed it is empty. */
struct ct_live {
    struct ct_live_block *slots;
    size_t mask, count;
    uint64_t refused;                   /* blocks that found no room */
};

void ct_live_fini(struct ct_live *live);

/*
 * Adds a block; one that stands at the same address is replaced and handed out in `*old` (its free was lost), whose
 * address is 0 otherwise.  Returns 0, -ENOSPC when there are too many (counted in `refused`), or -ENOMEM.
 */
int ct_live_add(struct ct_live *live, const struct ct_live_block *block, struct ct_live_block *old);

/* Takes the block at `address` out: 1 with `*ret`, or 0 when there is none. */
int ct_live_take(struct ct_live *live, uint64_t address, struct ct_live_block *ret);
