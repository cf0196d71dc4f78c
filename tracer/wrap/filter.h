/*
 * Who is waited for: a table of counters, by a hash of the object's address.
 *
 * An unlock, a post or a signal leaves an event only when somebody waits.  The object itself cannot be asked: another
 * thread may free it as soon as it is unlocked.  Objects that share a counter cost an event too many, never one too few.
 *
 * EDGES
 *   edge   release side       acquire side      what the acquirer may then rely on
 *   WAITER ct_filter_raise    ct_filter_raised  a waiter who was let go by our real call had raised its counter before
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* HOT: read twice in every unlock.
 *   budget   a multiplication, a shift and a load each. */
enum { CT_FILTER_BITS = 12 };
extern _Atomic uint16_t ct_filter[1 << CT_FILTER_BITS] __attribute__((visibility("hidden")));

static inline _Atomic uint16_t *ct_filter_of(const void *object)
{
    return &ct_filter[(uintptr_t)object * 0x9e3779b97f4a7c15u >> (64 - CT_FILTER_BITS)];
}

static inline void ct_filter_raise(_Atomic uint16_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_acq_rel);        /* edge WAITER */
}

static inline void ct_filter_lower(_Atomic uint16_t *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);        /* too late costs an event, no more */
}

static inline bool ct_filter_raised(const void *object)
{
    return atomic_load_explicit(ct_filter_of(object), memory_order_acquire) != 0;       /* edge WAITER */
}
