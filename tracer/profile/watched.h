/*
 * Addresses of sampled blocks that are not freed yet: a bounded set without locks.
 *
 * Who may add or take an address is who has the block: the program's own order, from malloc() to free(), is what makes
 * an addition seen by who takes it, so that all atomics here are relaxed.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* HOT: asked at every free().
 *   budget   a multiplication, a shift and a load from 4 KiB that stay in the cache. */
enum { CT_WATCHED_FILTER_BITS = 12, CT_WATCHED_BUCKETS = 8192, CT_WATCHED_WAYS = 8 };

/* How many addresses fall on each byte; one that reached 255 stays there. */
extern _Atomic uint8_t ct_watched_filter[1 << CT_WATCHED_FILTER_BITS] __attribute__((visibility("hidden")));

/*
 * Of the address's lower half: one instruction less, and blocks that share it are as rare as others that share a byte.  The
 * factor leads what lies within a KiB to two lines of the filter: what a program frees again and again lies together as a
 * rule, and the kernel leaves few of our lines in the cache.  Its lower digits spread blocks that lie regularly.
 */
static inline _Atomic uint8_t *ct_watched_byte(const void *block)
{
    return &ct_watched_filter[(uint32_t)(uintptr_t)block * 0x10e37u >> (32 - CT_WATCHED_FILTER_BITS)];
}

/* False: it is not in the set, for sure. */
static inline bool ct_watched_maybe(const void *block)
{
    return __builtin_expect(atomic_load_explicit(ct_watched_byte(block), memory_order_relaxed) != 0, 0);
}

/* Gives it memory, once; until then there is no room in it.  Control thread. */
void ct_watched_init(void);
/* Adds an address that is not in it; false when there is no room. */
bool ct_watched_add(const void *block);
/* Takes it out; false when it was not in. */
bool ct_watched_take(const void *block);
/* Empties it. */
void ct_watched_clear(void);
