/* A table from pthread_t to serial: small, without locks, and forgetful when it is full. */
#include "wrap/thread_id.h"

#include <stdatomic.h>
#include <time.h>

#include "record/session_state.h"
#include "record/thread.h"

/*
 * EDGES
 *   edge   release side           acquire side         what the acquirer may then rely on
 *   THREAD ct_thread_id_note      ct_thread_id_find    the serial found is of the thread that has, or last had, this pthread_t
 */
enum { SLOTS = 4096, PROBES = 8, SERIAL_BITS = 48 };

static struct slot {
    _Atomic uint64_t thread;
    _Atomic uint64_t serial;            /* number of the process << SERIAL_BITS: a fork makes all of them stale */
} slots[SLOTS];

/* Its CPU clock is named by the tid, in bits 3 and up, inverted. */
uint32_t ct_thread_tid(pthread_t thread)
{
    clockid_t clock;

    if (pthread_getcpuclockid(thread, &clock) != 0)
        return 0;
    return (uint32_t)~(clock >> 3);
}

static uint64_t tag(uint64_t serial)
{
    return (uint64_t)(uint16_t)ct_session_serial << SERIAL_BITS | serial;
}

/* The slot of `thread`, or where it may go: an empty one, else the first. */
static struct slot *slot_of(uint64_t thread)
{
    size_t from = thread * 0x9e3779b97f4a7c15u >> 52;
    struct slot *place = NULL;

    for (size_t i = 0; i < PROBES; i++) {
        struct slot *slot = &slots[(from + i) % SLOTS];
        uint64_t there = atomic_load_explicit(&slot->thread, memory_order_acquire);     /* edge THREAD */

        if (there == thread)
            return slot;
        if (there == 0 && !place)
            place = slot;
    }
    return place ? place : &slots[from];
}

/* Serials grow: a creator that is late does not take the place of a later thread with the same pthread_t. */
void ct_thread_id_note(pthread_t thread, uint64_t serial)
{
    struct slot *slot = slot_of(thread);
    uint64_t next = tag(serial), was = atomic_load_explicit(&slot->serial, memory_order_relaxed);

    if (!serial)
        return;
    if (atomic_load_explicit(&slot->thread, memory_order_relaxed) == thread) {
        while (was < next && !atomic_compare_exchange_weak_explicit(&slot->serial, &was, next, memory_order_release,
                                                                    memory_order_relaxed))      /* edge THREAD */
            ;
        return;
    }
    atomic_store_explicit(&slot->serial, next, memory_order_relaxed);
    atomic_store_explicit(&slot->thread, thread, memory_order_release);     /* edge THREAD */
}

uint64_t ct_thread_id_find(pthread_t thread)
{
    const struct slot *slot = slot_of(thread);
    uint64_t serial = atomic_load_explicit(&slot->serial, memory_order_acquire);        /* edge THREAD */

    if (atomic_load_explicit(&slot->thread, memory_order_relaxed) == thread && serial >> SERIAL_BITS == (uint16_t)ct_session_serial)
        return serial & (((uint64_t)1 << SERIAL_BITS) - 1);
    return ct_thread_serial_of(ct_thread_tid(thread));
}
