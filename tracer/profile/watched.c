/* The set: each address may lie in either of two buckets, of a cache line each. */
#include "profile/watched.h"

#include <stddef.h>
#include <sys/mman.h>

#include "record/syscall.h"

typedef _Atomic uint64_t bucket[CT_WATCHED_WAYS];

/* Whole pages each: what is emptied is given back. */
_Atomic uint8_t ct_watched_filter[1 << CT_WATCHED_FILTER_BITS] __attribute__((aligned(4096)));
static bucket *_Atomic buckets;         /* mapped when samples are wanted, for good; release: its pages are there */
static const size_t buckets_size = CT_WATCHED_BUCKETS * sizeof(bucket);

static uint64_t hash_of(const void *block)
{
    return (uintptr_t)block * 0x9e3779b97f4a7c15u;
}

static _Atomic uint64_t *bucket_of(uint64_t hash, unsigned which)
{
    bucket *all = atomic_load_explicit(&buckets, memory_order_acquire);

    return all ? all[(hash >> (which ? 12 : 32)) % CT_WATCHED_BUCKETS] : NULL;
}

void ct_watched_init(void)
{
    long at;

    if (atomic_load_explicit(&buckets, memory_order_relaxed))
        return;
    at = ct_syscall(SYS_mmap, 0, buckets_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at > 0)                         /* without it no block is watched, and each sample says so */
        atomic_store_explicit(&buckets, (bucket *)at, memory_order_release);
}

static void count(const void *block, int more)
{
    _Atomic uint8_t *byte = ct_watched_byte(block);
    uint8_t was = atomic_load_explicit(byte, memory_order_relaxed);

    while (was != UINT8_MAX && !(was == 0 && more < 0) &&
           !atomic_compare_exchange_weak_explicit(byte, &was, (uint8_t)(was + more), memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

/* Puts `to` where `from` is in one of the two buckets. */
static bool replace(uint64_t hash, uint64_t from, uint64_t to)
{
    for (unsigned which = 0; which < 2; which++) {
        _Atomic uint64_t *at = bucket_of(hash, which);

        for (unsigned i = 0; at && i < CT_WATCHED_WAYS; i++) {
            uint64_t expected = from;

            if (atomic_load_explicit(&at[i], memory_order_relaxed) == from &&
                atomic_compare_exchange_strong_explicit(&at[i], &expected, to, memory_order_relaxed, memory_order_relaxed))
                return true;
        }
    }
    return false;
}

bool ct_watched_add(const void *block)
{
    uint64_t hash = hash_of(block);

    count(block, 1);                    /* first: nobody overlooks what is in a bucket */
    if (replace(hash, 0, (uintptr_t)block))
        return true;
    count(block, -1);
    return false;
}

bool ct_watched_take(const void *block)
{
    uint64_t hash = hash_of(block);

    if (!block || !replace(hash, (uintptr_t)block, 0))
        return false;
    count(block, -1);
    return true;
}

void ct_watched_clear(void)
{
    bucket *all = atomic_load_explicit(&buckets, memory_order_relaxed);

    if (all)
        ct_syscall(SYS_madvise, all, buckets_size, MADV_DONTNEED);
    ct_syscall(SYS_madvise, ct_watched_filter, sizeof ct_watched_filter, MADV_DONTNEED);
}
