/*
 * A table by lock and thread: sets of a few places, and each entry one word, so that nobody reads half of one.  Who finds its set
 * full takes a place of it, for it may be of a thread that has ended; the other is a reader that is counted only.
 */
#include "record/readers.h"

#include <stdatomic.h>

#include "record/thread.h"

/* A word: the lock's address without the low bits, which the set tells, then the thread, then how often it has the lock. */
enum { ALIGN_BITS = 3, SET_BITS = 10, SETS = 1 << SET_BITS, PLACES = 4, TIMES_BITS = 8, TID_BITS = 22, MOST = (1 << TIMES_BITS) - 1 };
enum { ADDRESS_BITS = 64 - TID_BITS - TIMES_BITS + SET_BITS + ALIGN_BITS };     /* 47: all that programs have on both machines */

static _Atomic uint64_t held[SETS][PLACES];     /* relaxed: a thread's own, and for who looks a hint that it checks */

static inline unsigned set_of(uint64_t lock, uint32_t tid)
{
    return (unsigned)((lock >> ALIGN_BITS) + tid * 0x9e5u) % SETS;
}

static inline uint64_t word_of(uint64_t lock, uint32_t tid)
{
    return lock >> (ALIGN_BITS + SET_BITS) << (TID_BITS + TIMES_BITS) | (uint64_t)tid << TIMES_BITS;
}

static uint64_t lock_of(uint64_t word, unsigned set, uint32_t tid)
{
    uint64_t low = (set - tid * 0x9e5u) % SETS;

    return (word >> (TID_BITS + TIMES_BITS) << SET_BITS | low) << ALIGN_BITS;
}

static uint32_t own_tid(const void *lock)
{
    uint32_t tid;

    if ((uintptr_t)lock >> ADDRESS_BITS || ct_self.gone || !ct_thread_attach())
        return 0;
    tid = ct_self.row->tid;
    return tid >> TID_BITS ? 0 : tid;
}

/* The place of that word in its set, whatever its times; NULL: none. */
static inline _Atomic uint64_t *find(_Atomic uint64_t *set, uint64_t own)
{
    for (unsigned i = 0; i < PLACES; i++)
        if ((atomic_load_explicit(&set[i], memory_order_relaxed) & ~(uint64_t)MOST) == own)
            return &set[i];
    return NULL;
}

static void take_place(_Atomic uint64_t *set, uint64_t word, uint32_t tid)
{
    for (unsigned i = 0; i < PLACES; i++) {
        uint64_t none = 0;

        if (atomic_load_explicit(&set[i], memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&set[i], &none, word, memory_order_relaxed, memory_order_relaxed))
            return;
    }
    atomic_store_explicit(&set[tid % PLACES], word, memory_order_relaxed);
}

void ct_readers_add(const void *lock)
{
    uint32_t tid = own_tid(lock);
    uint64_t own = word_of((uintptr_t)lock, tid), there;
    _Atomic uint64_t *set = held[set_of((uintptr_t)lock, tid)], *at;

    if (!tid)
        return;
    at = find(set, own);
    if (!at) {
        take_place(set, own | 1, tid);
        return;
    }
    there = atomic_load_explicit(at, memory_order_relaxed);
    if ((there & MOST) < MOST)
        atomic_store_explicit(at, there + 1, memory_order_relaxed);
}

void ct_readers_remove(const void *lock)
{
    uint32_t tid = own_tid(lock);
    _Atomic uint64_t *at = tid ? find(held[set_of((uintptr_t)lock, tid)], word_of((uintptr_t)lock, tid)) : NULL;
    uint64_t there;

    if (!at)
        return;
    there = atomic_load_explicit(at, memory_order_relaxed);
    atomic_store_explicit(at, (there & MOST) > 1 ? there - 1 : 0, memory_order_relaxed);
}

bool ct_readers_next(unsigned *place, struct ct_read_dump *ret)
{
    while (*place < SETS * PLACES) {
        unsigned set = *place / PLACES, at = (*place)++ % PLACES;
        uint64_t word = atomic_load_explicit(&held[set][at], memory_order_relaxed);
        uint32_t tid = (uint32_t)(word >> TIMES_BITS) & ((1u << TID_BITS) - 1);

        if (word) {
            *ret = (struct ct_read_dump){ lock_of(word, set, tid), tid, (uint32_t)word & MOST };
            return true;
        }
    }
    return false;
}

void ct_readers_forget(void)
{
    for (unsigned i = 0; i < SETS; i++)
        for (unsigned k = 0; k < PLACES; k++)
            if (atomic_load_explicit(&held[i][k], memory_order_relaxed))
                atomic_store_explicit(&held[i][k], 0, memory_order_relaxed);
}
