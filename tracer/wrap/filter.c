/* The table of who is waited for. */
#include "wrap/filter.h"

#include <string.h>

#include "record/session_state.h"
#include "record/thread.h"

_Atomic uint32_t ct_filter[1 << CT_FILTER_BITS];
_Atomic uint32_t ct_filter_mutexes __attribute__((aligned(64)));        /* read by all: beside nothing that changes often */

/* Who unlocked last and when, by the same hash; relaxed, a guess that costs an event at most. */
static _Atomic uint64_t unlocked[1 << CT_FILTER_BITS];

void ct_filter_raise(_Atomic uint32_t *counter, bool mutex)
{
    atomic_store_explicit(&unlocked[counter - ct_filter], 0, memory_order_relaxed);
    atomic_fetch_add_explicit(counter, 1, memory_order_acq_rel);        /* edge WAITER */
    if (mutex)
        atomic_fetch_add_explicit(&ct_filter_mutexes, 1, memory_order_acq_rel);         /* edge MUTEX */
}

void ct_filter_lower(_Atomic uint32_t *counter, bool mutex)
{
    uint32_t was = atomic_load_explicit(counter, memory_order_relaxed), next;

    if (mutex)
        atomic_fetch_sub_explicit(&ct_filter_mutexes, 1, memory_order_relaxed);
    do
        next = was - 1 - (was >> CT_FILTER_TOLD ? 1u << CT_FILTER_TOLD : 0);
    while (!atomic_compare_exchange_weak_explicit(counter, &was, next, memory_order_relaxed, memory_order_relaxed));
}

bool ct_filter_tell(const void *object, bool all)
{
    _Atomic uint32_t *counter = ct_filter_of(object);
    uint32_t was = atomic_load_explicit(counter, memory_order_relaxed), waiting, told;

    do {
        waiting = (uint16_t)was;
        told = was >> CT_FILTER_TOLD;
        if (told >= waiting)
            return false;
        told = all ? waiting : told + 1;
    } while (!atomic_compare_exchange_weak_explicit(counter, &was, told << CT_FILTER_TOLD | waiting,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

bool ct_filter_unlock(const void *object, uint64_t now)
{
    _Atomic uint64_t *last = &unlocked[ct_filter_of(object) - ct_filter];
    uint64_t was = atomic_load_explicit(last, memory_order_relaxed);
    uint64_t me = (uintptr_t)&ct_self * 0x9e3779b97f4a7c15u >> 48;
    uint64_t a_while = ct_arena ? ct_arena->ticks_per_second / 50000 : 0;

    if ((uint16_t)was == (uint16_t)me && ((now - (was >> 16)) & 0xffffffffffff) < a_while)
        return false;
    atomic_store_explicit(last, now << 16 | me, memory_order_relaxed);
    return true;
}

void ct_filter_clear(void)
{
    memset((void *)ct_filter, 0, sizeof ct_filter);
    atomic_store_explicit(&ct_filter_mutexes, 0, memory_order_relaxed);
}
