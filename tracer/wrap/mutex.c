/* Mutexes. */
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/single_threaded.h>

#include "record/tap.h"
#include "wrap/free_mutex.h"
#include "wrap/passing.h"
#include "wrap/real.h"
#include "wrap/wait.h"

/* HOT: pthread_mutex_lock and _unlock are in every program's inner loops.
 *   budget   gate open, uncontended pair: + 2 ns (tests/bench/mutex.c).
 *   never    looks at the gate while nobody waits: a mutex that is free leaves no event, open or shut. */

/*
 * While there is one thread, only another process can hold a mutex or wait for it.  libc's lock is half as dear then as
 * its trylock, which knows no such difference.
 */
static inline bool nobody_else(const pthread_mutex_t *mutex)
{
    return __libc_single_threaded && !(mutex->__data.__kind & PTHREAD_PROCESS_SHARED << 7);
}

/* libc's kinds of mutexes, in bits. */
enum { OWNER_MAY_COME_AGAIN = 1 /* recursive */ | 2 /* errorcheck; both: adaptive */, ROBUST = 16, INHERITS = 32, PROTECTS = 64 };
enum { PROTECTS_ABOVE = 19 };           /* bits of its word: a priority */

/*
 * Whether a lock would wait now, by the mutex's word alone.  For mutexes that trylock is not to be asked about:
 *
 * - Robust ones.  libc's trylock keeps one that is beyond recovery, and whoever comes next waits for ever.
 * - All, where the program's calls go to LTTng's functions, which tell of each call: of a trylock when they have the mutex,
 *   of a lock before as well; and where that is the first that a thread tells they take a mutex, maybe this one.
 *   A wait that begins right after we have looked is not recorded then.
 *
 * Not for those of other libraries: see LOCK_STRANGE.
 */
static __attribute__((noinline)) bool held_by_another(pthread_mutex_t *mutex)
{
    ptrdiff_t at = atomic_load_explicit(&ct_free_mutex_tid, memory_order_relaxed);
    int kind = __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED), again = kind & OWNER_MAY_COME_AGAIN;
    uint32_t word = (uint32_t)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED);
    bool says = kind & (ROBUST | INHERITS);
    pid_t owner = says ? (pid_t)(word & FUTEX_TID_MASK) : __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
    bool own = at && owner == *(const pid_t *)((const char *)__builtin_thread_pointer() + at);

    if (says ? owner == 0 : kind & PROTECTS ? (word & ((1u << PROTECTS_ABOVE) - 1)) == 0 : word == 0)
        return false;
    return !own || (!(kind & ROBUST) && (again == 0 || again == OWNER_MAY_COME_AGAIN));
}

static inline bool is_not_to_be_tried(const pthread_mutex_t *mutex)
{
    return (mutex->__data.__kind & ROBUST) || ct_free_mutex_foreign();
}

/* EBUSY when there will be a wait, else what `locking` returns or would have returned. */
#define ATTEMPT(mutex, locking) \
    (!is_not_to_be_tried(mutex) ? ct_real.pthread_mutex_trylock(mutex) : held_by_another(mutex) ? EBUSY : (locking))

/*
 * Another library's functions may keep in a mutex what they like, and see each call: only how long a lock took is known then.
 * One that took long was a wait, which is told when it is over; who unlocks does not hear of it.
 */
#define LOCK_STRANGE(mutex, locking) \
    __extension__({ \
        uint64_t ct_start; \
        int ct_locked; \
        CT_SAVE_FP(); \
        ct_start = ct_recording(CT_CAT_lock) && !ct_tap_owns(mutex) ? ct_clock_now() : 0; \
        ct_locked = (locking); \
        if (ct_start) \
            ct_wait_passed(CT_EV_MUTEX_WAIT, (uint64_t)(uintptr_t)(mutex), ct_start, -ct_locked); \
        ct_locked; \
    })

static __attribute__((noinline)) int lock_strange(pthread_mutex_t *mutex)
{
    return LOCK_STRANGE(mutex, ct_real.pthread_mutex_lock(mutex));
}

static __attribute__((noinline)) int wait_and_lock(pthread_mutex_t *mutex)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_lock) || ct_tap_owns(mutex))
        return ct_real.pthread_mutex_lock(mutex);
    return CT_WAIT(MUTEX_WAIT, mutex, 0, ct_real.pthread_mutex_lock(mutex), -ct_result);
}

static CT_JUMPS __attribute__((noinline)) int lock_among_threads(pthread_mutex_t *mutex)
{
    int r;

    if (__builtin_expect(ct_free_mutex_strange(), 0))
        return lock_strange(mutex);
    r = ATTEMPT(mutex, ct_real.pthread_mutex_lock(mutex));
    return __builtin_expect(r != EBUSY, 1) ? r : wait_and_lock(mutex);
}

/* The same where libc is known to do no more to a free mutex than we do. */
static CT_JUMPS int lock_if_free(pthread_mutex_t *mutex)
{
    int r = ct_free_mutex_take(mutex);

    return __builtin_expect(r == 0, 1) ? 0 : r == EBUSY ? wait_and_lock(mutex) : lock_among_threads(mutex);
}

/* Once there is a second thread this need not be asked again: calls are led past the question. */
static CT_JUMPS __attribute__((noinline)) int lock_first(pthread_mutex_t *mutex)
{
    int (*here)(pthread_mutex_t *) = ct_seen_pthread_mutex_lock;
    int (*next)(pthread_mutex_t *) = lock_among_threads;

    if (!__libc_single_threaded) {
        if (ct_free_mutex_known())
            next = lock_if_free;
        __atomic_compare_exchange_n(&ct_route.pthread_mutex_lock, &here, next, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    }
    return lock_among_threads(mutex);
}

CT_PASSING CT_JUMPS int ct_seen_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return nobody_else(mutex) ? ct_real.pthread_mutex_lock(mutex) : lock_first(mutex);
}

int ct_seen_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    if (ct_free_mutex_strange())
        return LOCK_STRANGE(mutex, ct_real.pthread_mutex_timedlock(mutex, until));
    return CT_LOCK(MUTEX_WAIT, mutex, ATTEMPT(mutex, ct_real.pthread_mutex_timedlock(mutex, until)),
                   ct_real.pthread_mutex_timedlock(mutex, until));
}

int ct_seen_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    if (!ct_wait_clock_known(clock))
        return ct_real.pthread_mutex_clocklock(mutex, clock, until);
    if (ct_free_mutex_strange())
        return LOCK_STRANGE(mutex, ct_real.pthread_mutex_clocklock(mutex, clock, until));
    return CT_LOCK(MUTEX_WAIT, mutex, ATTEMPT(mutex, ct_real.pthread_mutex_clocklock(mutex, clock, until)),
                   ct_real.pthread_mutex_clocklock(mutex, clock, until));
}

/* Somebody waits for a mutex, or came to wait in between; anybody may free this one once it is unlocked. */
static __attribute__((noinline)) int unlock_and_wake(pthread_mutex_t *mutex)
{
    if (!ct_recording(CT_CAT_lock) || ct_tap_owns(mutex))
        return ct_real.pthread_mutex_unlock(mutex);
    return CT_WAKE(mutex, ct_real.pthread_mutex_unlock(mutex));
}

static __attribute__((noinline)) int wake_late(pthread_mutex_t *mutex, int r)
{
    if (r == 0 && ct_filter_raised(mutex) && ct_recording(CT_CAT_lock) && !ct_tap_owns(mutex))
        ct_wake_emit(mutex, 0);
    return r;
}

CT_JUMPS int ct_seen_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int r;

    if (ct_filter_mutexes_raised())
        return unlock_and_wake(mutex);
    r = ct_real.pthread_mutex_unlock(mutex);
    return ct_filter_mutexes_raised() ? wake_late(mutex, r) : r;
}
