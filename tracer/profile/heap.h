/*
 * The heap sampler: allocations, each byte with the same chance, and the frees of those that were taken.
 *
 * Every thread counts down the bytes that it allocates from a number drawn from the exponential distribution; the
 * allocation that goes below zero is sampled.  So one of `size` bytes is taken with probability 1 - exp(-size / rate),
 * whatever was allocated before it, and stands for 1 / that many like it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/watched.h"
#include "record/thread.h"

/* HOT: runs inside the traced program, at every allocation and free, by the wrappers.
 *   budget   + 4 ns a pair of malloc() and free() (tests/bench/malloc.c).
 *   never    allocates, locks, changes errno, or looks at the gate before a sample is due. */

/*
 * Counts what was allocated: true when it is to be sampled.  An allocation that failed is counted too: what is left of an
 * exponential distribution is distributed as before.
 */
static inline bool ct_heap_due(size_t size)
{
    uint64_t left = (uint64_t)ct_self.heap_left;

    if (__builtin_expect(left < size, 0)) {     /* unsigned: nobody gets so many bytes that it would be less than none */
        ct_self.heap_left = 0;
        return true;
    }
    ct_self.heap_left = (int64_t)(left - size);
    return false;
}

/* Samples it, if there is one (not NULL); for who found it due. */
void ct_heap_sample(const void *block, size_t size);

static inline void ct_heap_allocated(const void *block, size_t size)
{
    if (ct_heap_due(size))
        ct_heap_sample(block, size);
}

/* Before a block is freed: when it was sampled, that is told. */
void ct_heap_freed(const void *block);

static inline void ct_heap_free(const void *block)
{
    if (ct_watched_maybe(block))
        ct_heap_freed(block);
}

/*
 * Around realloc(): before it, the block is watched no longer, since another thread may get its address the moment it
 * is freed; after it, either that is told, with the time before, or the block stays as it was.
 */
uint64_t ct_heap_lift(const void *block);               /* ticks; 0 when it was not watched */
void ct_heap_lifted(const void *block, uint64_t lifted, bool freed);

/* The rate has changed: the calling thread counts anew; others do when their next sample is due. */
void ct_heap_redraw(void);
/* Control thread: recording is about to begin; what the heap grew by before is not growth of this one. */
void ct_heap_begin(void);
/* Control thread: samples and growth of the heap are wanted, or are not. */
void ct_heap_follow(bool recording);
/* HOT: growth is looked for where a block ends within so many bytes of the heap's end; 0: not at all.  Relaxed: a hint. */
extern _Atomic size_t ct_heap_margin __attribute__((visibility("hidden")));
/*
 * Control thread: what is wanted of the allocator.  If that is samples alone its calls lead to what is shorter.  The wrappers'
 * part, which is not there in every program.
 */
void ct_heap_hear(bool growth, bool samples) __attribute__((weak, visibility("hidden")));
/* In a forked child: its parent's blocks are its own, and stay watched. */
void ct_heap_forked_child(void);

/* How many bytes to count down: from the exponential distribution of this mean; 0 for means up to 1. */
int64_t ct_heap_draw(uint64_t *random, uint64_t mean);
