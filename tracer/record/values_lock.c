/* A futex that says who has it. */
#include "record/values_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <time.h>

#include "record/syscall.h"
#include "record/thread.h"

enum { A_WHILE_NS = 10000000, PATIENCE = 100 };
static const uint32_t waited = (uint32_t)1 << 31;

static bool is_dead(uint32_t tid)
{
    return ct_syscall(SYS_tgkill, ct_syscall(SYS_getpid), tid, 0) == -ESRCH;
}

/* Marks that somebody waits, and sleeps until the owner changes, a while at most: then true. */
static bool wait_in_vain(struct ct_values_lock *lock, uint32_t seen)
{
    static const struct timespec a_while = { 0, A_WHILE_NS };
    uint32_t marked = seen | waited;

    return (seen == marked ||
            atomic_compare_exchange_strong_explicit(&lock->word, &seen, marked, memory_order_relaxed, memory_order_relaxed)) &&
           ct_syscall(SYS_futex, &lock->word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, marked, &a_while, 0, 0) == -ETIMEDOUT;
}

/*
 * An owner that is dead is a thread of the parent that was not forked along, or one that was cancelled.  Patience ends after
 * whiles in which nothing changed: who is merely overtaken by others, however often, gets it in the end.
 */
int ct_values_lock(struct ct_values_lock *lock)
{
    uint32_t self = ct_thread_tid_now();

    for (unsigned in_vain = 0; in_vain < PATIENCE;) {
        uint32_t seen = 0, owner;

        if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, self, memory_order_acquire, memory_order_relaxed))    /* edge LOCK */
            return 0;
        owner = seen & ~waited;
        if (owner == self)
            return -EAGAIN;
        if (is_dead(owner) && atomic_compare_exchange_strong_explicit(&lock->word, &seen, self | waited, memory_order_acquire,
                                                                      memory_order_relaxed))     /* edge LOCK */
            return 1;
        in_vain += wait_in_vain(lock, seen);
    }
    return -EAGAIN;
}

void ct_values_unlock(struct ct_values_lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) & waited)         /* edge LOCK */
        ct_syscall(SYS_futex, &lock->word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, 0, 0, 0);
}
