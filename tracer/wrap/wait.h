/* Waits: what a wrapper says before and after it blocks, and what remains when a thread leaves a wait by other ways. */
#pragma once

#include <errno.h>
#include <time.h>

#include "record/emit.h"
#include "wrap/filter.h"
#include "wrap/wrap.h"

/* HOT where it says so; the rest runs only when a thread is about to block. */

/* Lives in the wrapper's frame, from begin to end. */
struct ct_wait {
    uint64_t cookie;                    /* tells a frame that is still there from what was written over it */
    struct ct_wait_record *record;      /* NULL: this wait is not recorded */
};

/*
 * Begins a wait: emits `event` (CT_EV_MUTEX_WAIT ...) and notes it.  `object` is what is waited for (of SLEEP: the ns
 * asked for), `other` the mutex of COND_WAIT.  Objects of category lock are waited for visibly: see ct_wake_*.
 * Keeps errno.  For callers that found the gate open.
 */
void ct_wait_begin(struct ct_wait *wait, unsigned event, uint64_t object, uint64_t other);

/*
 * A wait that is over, of which nothing was known before it: from `start` (ticks) until now, if that was long.  As if it had
 * begun and ended then.
 */
void ct_wait_passed(unsigned event, uint64_t object, uint64_t start, int result);

/* A number that nobody can guess from the times of waits. */
static inline uint64_t ct_wait_dice(uint64_t now)
{
    uint64_t x = now + (uintptr_t)&ct_self;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Ends it: `result` is 0 as asked for, else a negative errno.  Keeps errno. */
void ct_wait_end(struct ct_wait *wait, int result);

/*
 * The same of a handler of the program, which has no event at its beginning: HANDLER is written at its end, or when it is found
 * to have been left by siglongjmp(), with the time to the last event in it.  `wait->record` is NULL where that cannot be told.
 */
void ct_wait_handler_begin(struct ct_wait *wait, int signal, uint64_t routine);
void ct_wait_handler_end(struct ct_wait *wait);

/*
 * Waits that were left by siglongjmp(), cancellation or an exception are ended (-ECANCELED) when the thread's stack
 * shows it.  `frame`: an address in the frame of who asks.
 */
__attribute__((cold)) void ct_wait_repair(uintptr_t frame);

/* HOT: the same for wrappers that do not wait: one load when nothing is under way. */
static inline void ct_wait_check(void)
{
    char here;                          /* not __builtin_frame_address(): it would take the register we save */

    if (__builtin_expect(ct_self.wait != NULL, 0))
        ct_wait_repair((uintptr_t)&here);
}

/* The thread ends: whatever it waited for, it does no longer. */
void ct_wait_abandon(void);

/* In a forked child: nobody else waits here. */
void ct_wait_forked_child(void);

/* The thread goes on, or goes on to wait when this was a signal handler. */
static inline void ct_wait_resume(uint64_t now)
{
    const struct ct_wait_record *outer = ct_self.wait;

    while (__builtin_expect(outer != NULL, 0) && outer->event == CT_EV_HANDLER)
        outer = outer == ct_self.room->waits ? NULL : outer - 1;
    if (__builtin_expect(outer != NULL, 0))
        ct_thread_does(CT_THREAD_WAITING, outer->event, outer->object, outer->since);
    else
        ct_thread_does(CT_THREAD_RUNNING, 0, 0, now);
}

/*
 * The time before an unlock, or a signal, that somebody waits for.  LTTng stamps what it is told when it is told: so it is
 * told then already, and what comes back says so.
 */
uint64_t ct_wake_coming(const void *object);
uint64_t ct_signal_coming(const void *object);

/*
 * HOT: around an unlock.  Before it: the time if somebody waits for `object`, else 0.  After it: writes UNLOCK_WAKE,
 * stamped with that time, or now when a waiter came in between.  The object is not touched: it may be gone.
 */
static inline uint64_t ct_wake_before(const void *object)
{
    return __builtin_expect(ct_filter_raised(object), 0) ? ct_wake_coming(object) : 0;
}

/* Of an unlock: whoever comes first has the lock. */
void ct_wake_emit(const void *object, uint64_t time);

static inline void ct_wake_after(const void *object, uint64_t before)
{
    if (__builtin_expect(before || ct_filter_raised(object), 0))
        ct_wake_emit(object, before);
}

/* Of a signal or a post, which lets one waiter go, or all: told before, for who is told may be gone right after. */
static inline uint64_t ct_signal_before(const void *object, bool all)
{
    return __builtin_expect(ct_filter_raised(object), 0) && ct_filter_tell(object, all) ? ct_signal_coming(object) : 0;
}

void ct_signal_emit(const void *object, uint64_t time);

static inline void ct_signal_after(const void *object, bool all, uint64_t before)
{
    if (__builtin_expect(before || ct_filter_raised(object), 0) && (before || ct_filter_tell(object, all)))
        ct_signal_emit(object, before);
}

/*
 * HOT: the body of a lock's wrapper.  A lock that is free leaves no event: `attempt` (a trylock) decides, and any result
 * of it but EBUSY is final; then `blocking` is a wait for `object`.
 */
#define CT_LOCK(EVENT, object, attempt, blocking) \
    __extension__({ \
        int ct_locked; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_lock)) \
            ct_locked = (blocking); \
        else if ((ct_locked = (attempt)) == EBUSY) \
            ct_locked = CT_WAIT(EVENT, object, 0, blocking, -ct_result); \
        ct_locked; \
    })

/* A wait: `blocking` between begin and end.  `result` says what came of ct_result: 0 or a negative errno. */
#define CT_WAIT(EVENT, object, other, blocking, result) \
    __extension__({ \
        struct ct_wait ct_wait; \
        int ct_result; \
        ct_wait_begin(&ct_wait, CT_EV_##EVENT, (uint64_t)(uintptr_t)(object), (uint64_t)(uintptr_t)(other)); \
        ct_result = (blocking); \
        ct_wait_end(&ct_wait, result); \
        ct_result; \
    })

/* HOT: what may wake those who wait for an object, recorded; `waking` returns 0 when it did. */
#define CT_WAKING(before, waking, after) \
    __extension__({ \
        uint64_t ct_before = before; \
        int ct_result = (waking); \
        if (ct_result == 0) \
            after; \
        ct_result; \
    })
#define CT_WAKE(object, waking) CT_WAKING(ct_wake_before(object), waking, ct_wake_after(object, ct_before))
#define CT_SIGNAL(object, all, waking) \
    CT_WAKING(ct_signal_before(object, all), waking, ct_signal_after(object, all, ct_before))

/*
 * A wait on a condition variable.  libc unlocks the mutex inside, where no wrapper sees it: who waits for the mutex is
 * told beforehand.  Relocking it is part of the wait.
 */
#define CT_COND(cond, mutex, blocking, result) \
    __extension__({ \
        int ct_waited; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_lock)) { \
            ct_waited = (blocking); \
        } else { \
            uint64_t ct_waking = ct_wake_before(mutex); \
            if (ct_waking) \
                ct_wake_emit(mutex, ct_waking); \
            ct_waited = CT_WAIT(COND_WAIT, cond, mutex, blocking, result); \
        } \
        ct_waited; \
    })

/* Whether glibc waits by this clock; with others, and with times that are none, it refuses before it tries. */
static inline bool ct_wait_clock_known(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static inline bool ct_wait_time_valid(const struct timespec *until)
{
    return !until || (unsigned long)until->tv_nsec < 1000000000;
}
