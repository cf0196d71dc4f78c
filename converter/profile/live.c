/* Open addressing with linear probing; a removal moves those behind it up, so there are no tombstones. */
#include "converter/profile/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/read/idmap.h"

enum { SLOTS_FIRST = 1 << 6, SLOTS_MAX = 1 << 22 };    /* half full: 2 M samples stand for 1 TiB of heap */

void ct_live_fini(struct ct_live *live)
{
    free(live->slots);
    *live = (struct ct_live){ 0 };
}

/* Where `address` is, or the free slot where it would be. */
static size_t find(const struct ct_live *live, uint64_t address)
{
    size_t i = ct_idmap_hash(address) & live->mask;

    while (live->slots[i].address && live->slots[i].address != address)
        i = (i + 1) & live->mask;
    return i;
}

static int grow(struct ct_live *live)
{
    size_t size = live->slots ? 2 * (live->mask + 1) : SLOTS_FIRST;
    struct ct_live wide = { .mask = size - 1, .count = live->count, .refused = live->refused };

    if (size > SLOTS_MAX)
        return -ENOSPC;
    wide.slots = calloc(size, sizeof *wide.slots);
    if (!wide.slots)
        return -ENOMEM;
    for (size_t i = 0; live->slots && i <= live->mask; i++)
        if (live->slots[i].address)
            wide.slots[find(&wide, live->slots[i].address)] = live->slots[i];
    free(live->slots);
    *live = wide;
    return 0;
}

int ct_live_add(struct ct_live *live, const struct ct_live_block *block, struct ct_live_block *old)
{
    size_t i;

    *old = (struct ct_live_block){ 0 };
    if (!live->slots || live->count >= live->mask / 2) {
        int r = grow(live);

        if (r < 0) {
            live->refused++;
            return r;
        }
    }
    i = find(live, block->address);
    if (live->slots[i].address)
        *old = live->slots[i];
    else
        live->count++;
    live->slots[i] = *block;
    return 0;
}

int ct_live_take(struct ct_live *live, uint64_t address, struct ct_live_block *ret)
{
    size_t hole;

    if (!live->slots || address == 0)
        return 0;
    hole = find(live, address);
    if (!live->slots[hole].address)
        return 0;
    *ret = live->slots[hole];
    live->count--;
    for (size_t i = (hole + 1) & live->mask; live->slots[i].address; i = (i + 1) & live->mask) {
        size_t home = ct_idmap_hash(live->slots[i].address) & live->mask;

        /* It may move up unless its home lies between the hole and itself. */
        if (((i - home) & live->mask) >= ((i - hole) & live->mask)) {
            live->slots[hole] = live->slots[i];
            hole = i;
        }
    }
    live->slots[hole].address = 0;
    return 1;
}
