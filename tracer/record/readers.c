/*
 * A table by lock and thread.  Each entry is one word, so that nobody reads half of one; who finds its place taken takes it, and
 * the other is a reader that is counted only.
 */
#include "record/readers.h"

#include <stdatomic.h>

#include "record/thread.h"

/* A word: the lock's address without the low bits, which the place tells, then the thread, then how often it has the lock. */
enum { ALIGN_BITS = 3, PLACE_BITS = 10, PLACES = 1 << PLACE_BITS, TIMES_BITS = 8, TID_BITS = 22, MOST = (1 << TIMES_BITS) - 1 };
enum { ADDRESS_BITS = 64 - TID_BITS - TIMES_BITS + PLACE_BITS + ALIGN_BITS };   /* 47: all that programs have on both machines */

static _Atomic uint64_t held[PLACES];   /* relaxed: a thread's own, and for who looks a hint that it checks */

static inline unsigned place_of(uint64_t lock, uint32_t tid)
{
    return (unsigned)((lock >> ALIGN_BITS) + tid * 0x9e5u) % PLACES;
}

static inline uint64_t word_of(uint64_t lock, uint32_t tid)
{
    return lock >> (ALIGN_BITS + PLACE_BITS) << (TID_BITS + TIMES_BITS) | (uint64_t)tid << TIMES_BITS;
}

static uint64_t lock_of(uint64_t word, unsigned place, uint32_t tid)
{
    uint64_t low = (place - tid * 0x9e5u) % PLACES;

    return (word >> (TID_BITS + TIMES_BITS) << PLACE_BITS | low) << ALIGN_BITS;
}

static uint32_t own_tid(const void *lock)
{
    uint32_t tid;

    if ((uintptr_t)lock >> ADDRESS_BITS || ct_self.gone || !ct_thread_attach())
        return 0;
    tid = ct_self.row->tid;
    return tid >> TID_BITS ? 0 : tid;
}

void ct_readers_add(const void *lock)
{
    uint32_t tid = own_tid(lock);
    uint64_t own = word_of((uintptr_t)lock, tid), there;
    _Atomic uint64_t *at = &held[place_of((uintptr_t)lock, tid)];

    if (!tid)
        return;
    there = atomic_load_explicit(at, memory_order_relaxed);
    if ((there & ~(uint64_t)MOST) != own)
        there = own;
    if ((there & MOST) < MOST)
        atomic_store_explicit(at, there + 1, memory_order_relaxed);
}

void ct_readers_remove(const void *lock)
{
    uint32_t tid = own_tid(lock);
    _Atomic uint64_t *at = &held[place_of((uintptr_t)lock, tid)];
    uint64_t there = tid ? atomic_load_explicit(at, memory_order_relaxed) : 0;

    if (there && (there & ~(uint64_t)MOST) == word_of((uintptr_t)lock, tid))
        atomic_store_explicit(at, (there & MOST) > 1 ? there - 1 : 0, memory_order_relaxed);
}

uint32_t ct_readers_next(uint64_t lock, unsigned *place)
{
    while (*place < PLACES) {
        unsigned at = (*place)++;
        uint64_t word = atomic_load_explicit(&held[at], memory_order_relaxed);
        uint32_t tid = (uint32_t)(word >> TIMES_BITS) & ((1u << TID_BITS) - 1);

        if (word && lock_of(word, at, tid) == lock)
            return tid;
    }
    return 0;
}

void ct_readers_forget(void)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (atomic_load_explicit(&held[i], memory_order_relaxed))
            atomic_store_explicit(&held[i], 0, memory_order_relaxed);
}
