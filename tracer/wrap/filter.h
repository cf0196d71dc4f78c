/*
 * Who is waited for: a table of counters, by a hash of the object's address.
 *
 * An unlock, a post or a signal leaves an event only when somebody waits.  The object itself cannot be asked: another
 * thread may free it as soon as it is unlocked.  Objects that share a counter cost an event too many, never one too few.
 *
 * A signal or a post lets one waiter go, who may take a while to wake up: until then it is not waited for any more.  So a
 * counter has two halves, who waits and who was told.  An unlock tells nobody so, since another thread may lock first; but
 * one that locks and unlocks a thousand times before the waiter runs is heard once in 20 us.
 *
 * EDGES
 *   edge   release side       acquire side      what the acquirer may then rely on
 *   WAITER ct_filter_raise    ct_filter_raised  a waiter who was let go by our real call had raised its counter before
 *   MUTEX  ct_filter_raise    ct_filter_mutexes_raised   the same, of mutexes; and its own counter was raised before that
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* HOT: read twice in every unlock.
 *   budget   a multiplication, a shift and a load each. */
enum { CT_FILTER_BITS = 12, CT_FILTER_TOLD = 16 };
extern _Atomic uint32_t ct_filter[1 << CT_FILTER_BITS] __attribute__((visibility("hidden")));

static inline _Atomic uint32_t *ct_filter_of(const void *object)
{
    return &ct_filter[(uintptr_t)object * 0x9e3779b97f4a7c15u >> (64 - CT_FILTER_BITS)];
}

/*
 * How many wait for a mutex, whichever: most of the time nobody, and then an unlock need not ask for its own.  Threads
 * that wait for other things are not in it: one that is idle on a condition variable all day would spoil it.
 */
extern _Atomic uint32_t ct_filter_mutexes __attribute__((visibility("hidden")));

/* HOT: twice in every unlock of a mutex; a load. */
static inline bool ct_filter_mutexes_raised(void)
{
    return __builtin_expect(atomic_load_explicit(&ct_filter_mutexes, memory_order_acquire) != 0, 0);    /* edge MUTEX */
}

/* A waiter comes; for a mutex, or for something else. */
void ct_filter_raise(_Atomic uint32_t *counter, bool mutex);

/* Whether somebody waits for the object, or for another that shares its counter. */
static inline bool ct_filter_raised(const void *object)
{
    return (uint16_t)atomic_load_explicit(ct_filter_of(object), memory_order_acquire) != 0;     /* edge WAITER */
}

/* A waiter goes, with one of those who were told.  Relaxed: too late costs an event, no more. */
void ct_filter_lower(_Atomic uint32_t *counter, bool mutex);

/* Tells one who waits, or all; false when all have been told.  For callers who saw it raised. */
bool ct_filter_tell(const void *object, bool all);

/*
 * Whether an unlock at `now` (ticks) is worth an event: another thread's was the last one, or this one's is a while ago,
 * or a waiter has come since.
 */
bool ct_filter_unlock(const void *object, uint64_t now);

/* In a forked child: nobody waits. */
void ct_filter_clear(void);
