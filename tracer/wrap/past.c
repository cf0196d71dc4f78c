/* Calls that nobody wants to hear of go past the recorder, also while it records others. */
#include "record/gate.h"
#include "record/session_state.h"
#include "wrap/past.h"
#include "wrap/real.h"
#include "wrap/timed.h"

/*
 * A profile of CPU time wants no call at all, one of the heap none but the allocator's.  What programs do all the time then
 * jumps straight into libc, as if nothing were recorded: the calls of calls.def that are QUICK, the allocator, and mutexes.
 * The others stay led here, where a child that was made behind our back finds out that it is one.
 */
enum what { CALLS, ALLOCATOR, MUTEXES };

#define ALLOCATOR_ROUTES(DO) DO(malloc) DO(calloc) DO(realloc) DO(free)

/* Who leads calls through the recorder and who says what is wanted are two threads: one of them sees what both did. */
static _Atomic bool unwanted[MUTEXES + 1];

static struct ct_route beside;          /* what was put into ct_route instead */

static bool exchange(void *route, const void *from, const void *to)
{
    return __atomic_compare_exchange_n((const void **)route, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Somebody else may have led it elsewhere, as heap_slow.c and heap_ask.c do: there it stays. */
#define PAST(name) \
    do { \
        beside.name = __atomic_load_n(&ct_real.name, __ATOMIC_RELAXED); \
        exchange(&ct_route.name, (const void *)ct_seen_##name, (const void *)beside.name); \
    } while (0);

/* The real function's place may have been looked up since. */
#define THROUGH(name) \
    do { \
        if (beside.name && !exchange(&ct_route.name, (const void *)beside.name, (const void *)ct_seen_##name)) \
            exchange(&ct_route.name, (const void *)__atomic_load_n(&ct_real.name, __ATOMIC_RELAXED), (const void *)ct_seen_##name); \
    } while (0);

static void lead_calls(bool past)
{
#define QUICK(result, name, parameters, arguments, call, fd) \
    if (past) \
        PAST(name) \
    else \
        THROUGH(name)
#include "wrap/real.def"
}

static void lead_allocator(bool past)
{
    if (past) {
        ALLOCATOR_ROUTES(PAST)
    } else {
        ALLOCATOR_ROUTES(THROUGH)
    }
}

/* The lock's body leads itself to shorter ones of its own, and only from where it is led by us. */
static void lead_mutexes(bool past)
{
    if (past) {
        beside.pthread_mutex_lock = __atomic_load_n(&ct_real.pthread_mutex_lock, __ATOMIC_RELAXED);
        __atomic_store_n(&ct_route.pthread_mutex_lock, beside.pthread_mutex_lock, __ATOMIC_SEQ_CST);
        PAST(pthread_mutex_unlock)
    } else {
        THROUGH(pthread_mutex_lock)
        THROUGH(pthread_mutex_unlock)
    }
}

static void (*const lead[])(bool past) = { [CALLS] = lead_calls, [ALLOCATOR] = lead_allocator, [MUTEXES] = lead_mutexes };

void ct_past_lead(void)
{
    for (enum what what = CALLS; what <= MUTEXES; what++)
        if (atomic_load_explicit(&unwanted[what], memory_order_seq_cst))
            lead[what](true);
}

static void tell(enum what what, bool past)
{
    bool was = atomic_exchange_explicit(&unwanted[what], past, memory_order_seq_cst);

    if (past || was)
        lead[what](past);
}

void ct_route_follow(void)
{
    tell(CALLS, !ct_options.asks && !ct_wanted(CT_CAT_io) && !ct_wanted(CT_CAT_poll));
    tell(ALLOCATOR, !ct_wanted(CT_CAT_heap) && !ct_wanted(CT_CAT_alloc));
    tell(MUTEXES, !ct_options.asks && !ct_wanted(CT_CAT_lock));
    ct_slots_follow();
}

void ct_route_forked_child(void)
{
    tell(CALLS, false);
    tell(ALLOCATOR, false);
    tell(MUTEXES, false);
    ct_slots_follow();
}
