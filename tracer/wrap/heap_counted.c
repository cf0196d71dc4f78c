/* The allocator while samples of it are wanted and its growth is not: a call is counted, and jumps on. */
#include "wrap/heap_counted.h"

#include "profile/heap.h"
#include "wrap/growth.h"
#include "wrap/past.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* HOT: malloc, realloc and free of a program whose heap is profiled.
 *   budget   + 4 ns a pair (tests/bench/malloc.c): ten instructions of ours, no call, no frame.
 *   never    comes back after the real call, but of one that is sampled. */

static __attribute__((noinline)) void *sample_malloc(size_t size)
{
    void *block = ct_real.malloc(size);

    ct_heap_sample(block, size);
    return block;
}

static CT_JUMPS void *counted_malloc(size_t size)
{
    if (ct_heap_due(size))
        return sample_malloc(size);
    CT_JUMP return ct_real.malloc(size);
}

/* n blocks of a size that overflows are refused by the real call, and counted as what they are not. */
static __attribute__((noinline)) void *sample_calloc(size_t n, size_t size)
{
    void *block = ct_real.calloc(n, size);

    ct_heap_sample(block, n * size);
    return block;
}

static CT_JUMPS void *counted_calloc(size_t n, size_t size)
{
    if (ct_heap_due(n * size))
        return sample_calloc(n, size);
    CT_JUMP return ct_real.calloc(n, size);
}

/*
 * A free and an allocation at once.  One that is told of goes the long way, where it is counted: it is found due once more,
 * by the nothing that is left to count.
 */
static CT_JUMPS void *counted_realloc(void *block, size_t size)
{
    if (ct_watched_maybe(block) || ct_heap_due(size))
        CT_JUMP return ct_seen_realloc(block, size);
    CT_JUMP return ct_real.realloc(block, size);
}

static CT_JUMPS void counted_free(void *block)
{
    ct_heap_free(block);
    CT_JUMP return ct_real.free(block);
}

static _Atomic bool samples_only;

/* Leads a call from one body to the other, if it leads there; false when it does not: heap_slow.c and heap_ask.c have it. */
#define LEAD(name, from, to) \
    __extension__({ \
        __typeof__(ct_route.name) ct_from = (from); \
        __atomic_compare_exchange_n(&ct_route.name, &ct_from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    })

void ct_heap_counted_lead(void)
{
    /* Who leads calls through the recorder and who says what is wanted are two threads: one of them sees what both did. */
    if (!atomic_load_explicit(&samples_only, memory_order_seq_cst))
        return;
    LEAD(malloc, ct_seen_malloc, counted_malloc);
    LEAD(calloc, ct_seen_calloc, counted_calloc);
    LEAD(realloc, ct_seen_realloc, counted_realloc);
    LEAD(free, ct_seen_free, counted_free);
}

static void lead_back(void)
{
    LEAD(malloc, counted_malloc, ct_seen_malloc);
    LEAD(calloc, counted_calloc, ct_seen_calloc);
    LEAD(realloc, counted_realloc, ct_seen_realloc);
    LEAD(free, counted_free, ct_seen_free);
}

void ct_heap_hear(bool growth, bool samples)
{
    static bool growth_was = true;
    bool only = samples && !growth, was = atomic_exchange_explicit(&samples_only, only, memory_order_seq_cst);

    if (growth && !growth_was)
        ct_heap_look_anew();
    growth_was = growth;
    if (only)
        ct_heap_counted_lead();
    else if (was)
        lead_back();
    ct_slots_follow();
}
