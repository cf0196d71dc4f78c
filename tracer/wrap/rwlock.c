/* Read-write locks. */
#include "record/readers.h"
#include "wrap/real.h"
#include "wrap/wait.h"

/* Who reads is known to nobody else. */
#define READ_LOCK(lock, blocking) \
    __extension__({ \
        int ct_read = CT_LOCK(RWLOCK_READ_WAIT, lock, ct_real.pthread_rwlock_tryrdlock(lock), blocking); \
        if (ct_read == 0 && ct_recording(CT_CAT_lock)) \
            ct_readers_add(lock); \
        ct_read; \
    })

int ct_seen_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return READ_LOCK(lock, ct_real.pthread_rwlock_rdlock(lock));
}

int ct_seen_pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    int r = ct_real.pthread_rwlock_tryrdlock(lock);

    if (r == 0 && ct_recording(CT_CAT_lock))
        ct_readers_add(lock);
    return r;
}

int ct_seen_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
    if (!ct_wait_time_valid(until))
        return ct_real.pthread_rwlock_timedrdlock(lock, until);
    return READ_LOCK(lock, ct_real.pthread_rwlock_timedrdlock(lock, until));
}

int ct_seen_pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
    if (!ct_wait_clock_known(clock) || !ct_wait_time_valid(until))
        return ct_real.pthread_rwlock_clockrdlock(lock, clock, until);
    return READ_LOCK(lock, ct_real.pthread_rwlock_clockrdlock(lock, clock, until));
}

int ct_seen_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return CT_LOCK(RWLOCK_WRITE_WAIT, lock, ct_real.pthread_rwlock_trywrlock(lock), ct_real.pthread_rwlock_wrlock(lock));
}

int ct_seen_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
    if (!ct_wait_time_valid(until))
        return ct_real.pthread_rwlock_timedwrlock(lock, until);
    return CT_LOCK(RWLOCK_WRITE_WAIT, lock, ct_real.pthread_rwlock_trywrlock(lock),
                   ct_real.pthread_rwlock_timedwrlock(lock, until));
}

int ct_seen_pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
    if (!ct_wait_clock_known(clock) || !ct_wait_time_valid(until))
        return ct_real.pthread_rwlock_clockwrlock(lock, clock, until);
    return CT_LOCK(RWLOCK_WRITE_WAIT, lock, ct_real.pthread_rwlock_trywrlock(lock),
                   ct_real.pthread_rwlock_clockwrlock(lock, clock, until));
}

CT_JUMPS int ct_seen_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.pthread_rwlock_unlock(lock);
    ct_readers_remove(lock);
    return CT_WAKE(lock, ct_real.pthread_rwlock_unlock(lock));
}
