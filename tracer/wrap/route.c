/* The wrappers that programs call: each one jump, into libc or to what records. */
#include "record/gate.h"
#include "wrap/growth.h"
#include "wrap/heap_counted.h"
#include "wrap/heap_slow.h"
#include "wrap/passed.h"
#include "wrap/past.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* HOT: in every call the program makes of a wrapped function.
 *   budget   nobody listens: one instruction (tests/tracer/wrap/jumps.c).
 *   never    tests anything: who listens is told by where the jump leads, and that changes as rarely as sessions do. */

/* In a section of their own, by which wrap/bound.c knows them.  Their C names are others: those of the header may have variable arguments, which are passed the same way. */
#define ROUTED(result, name, parameters, arguments, ...) \
    CT_WRAPPER CT_JUMPS __attribute__((section("ct_routed"))) result ct_routed_##name parameters __asm__(#name); \
    result ct_routed_##name parameters \
    { \
        CT_JUMP return ct_route.name arguments; \
    }
#include "wrap/real.def"

/* Relaxed: a call that still goes the old way is one that was made a moment before. */
void ct_route_lead(bool through)
{
    if (through)
        ct_growth_listen();
#define ROUTED(result, name, parameters, arguments, ...) \
    __atomic_store_n(&ct_route.name, through ? ct_seen_##name : __atomic_load_n(&ct_real.name, __ATOMIC_RELAXED), \
                     __ATOMIC_RELAXED);
#include "wrap/real.def"
    ct_passed_lead(through);
    if (through) {
        atomic_thread_fence(memory_order_seq_cst);
        ct_heap_counted_lead();
        ct_heap_slow_lead();
        ct_past_lead();
    }
    ct_slots_follow();
}
