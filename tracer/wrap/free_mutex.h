/*
 * Taking a mutex that is free, as libc's pthread_mutex_lock would, without calling it.
 *
 * libc's lock does not say whether it waited, and its trylock is dearer than its lock.  What both do
 * to a free mutex of the default kind is three words that every program compiled with
 * PTHREAD_MUTEX_INITIALIZER carries; whether it is these three is not believed but tried, on a mutex
 * of our own, before any of the program's is touched.
 *
 * EDGES
 *   edge   release side          acquire side          what the acquirer may then rely on
 *   MUTEX  libc's unlock         ct_free_mutex_take    what the last owner wrote
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* HOT: in every pthread_mutex_lock of a recorded program with threads.
 *   budget   with libc's unlock: + 2 ns over libc's lock and unlock (tests/bench/mutex.c).
 *   never    calls anything. */

/* Where libc keeps a thread's tid, from the thread pointer; 0: not known, or not asked for yet.  Relaxed: it says all by itself. */
extern _Atomic ptrdiff_t ct_free_mutex_tid __attribute__((visibility("hidden")));

/*
 * Whether this libc locks and unlocks as we believe.  The first call tries it; any thread, also in a signal handler.
 * False too where the lock is not libc's own (a sanitizer, another preload), and where libc elides locks.
 */
bool ct_free_mutex_known(void);
/* Whether it is another's that the program's calls go to: whatever we called besides, that one would see. */
bool ct_free_mutex_foreign(void);
/* Whether it may be one whose mutexes are other than libc's: what is in their words is nobody's business then. */
bool ct_free_mutex_strange(void);

/*
 * Takes the mutex if it is free; for who knows libc.  Returns 0, EBUSY when somebody has it, or -1 when this is not for us:
 * nobody has asked, or the mutex is not of the default kind, but recursive, checked, robust, shared
 * between processes, elided, adaptive, or with a protocol.
 */
static inline int ct_free_mutex_take(pthread_mutex_t *mutex)
{
    ptrdiff_t tid = atomic_load_explicit(&ct_free_mutex_tid, memory_order_relaxed);
    int kind = __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED), free = 0;

    if (__builtin_expect(tid == 0 || kind != PTHREAD_MUTEX_TIMED_NP, 0))
        return -1;
    if (!__atomic_compare_exchange_n(&mutex->__data.__lock, &free, 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))         /* edge MUTEX */
        return EBUSY;
    mutex->__data.__owner = *(const pid_t *)((const char *)__builtin_thread_pointer() + tid);
    mutex->__data.__nusers++;
    return 0;
}
