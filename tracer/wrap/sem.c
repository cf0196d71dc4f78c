/* Semaphores. */
#include "wrap/real.h"
#include "wrap/wait.h"

/*
 * Taking a semaphore that is free without waiting.  sem_wait is a cancellation point whether it blocks or not, which
 * sem_trywait is not; and its errno must not be seen when the wait then succeeds.  Returns 0 or EBUSY.
 */
static int attempt(sem_t *sem)
{
    int saved = errno, r;

    pthread_testcancel();
    r = ct_real.sem_trywait(sem);
    errno = saved;
    return r == 0 ? 0 : EBUSY;
}

#define SEM_WAIT(sem, blocking) \
    __extension__({ \
        int ct_taken; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_lock)) \
            ct_taken = (blocking); \
        else if ((ct_taken = attempt(sem)) != 0) \
            ct_taken = CT_WAIT(SEM_WAIT, sem, 0, blocking, ct_result == 0 ? 0 : -errno); \
        ct_taken; \
    })

int ct_seen_sem_wait(sem_t *sem)
{
    return SEM_WAIT(sem, ct_real.sem_wait(sem));
}

int ct_seen_sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until)
{
    if (!ct_wait_time_valid(until))
        return ct_real.sem_timedwait(sem, until);
    return SEM_WAIT(sem, ct_real.sem_timedwait(sem, until));
}

int ct_seen_sem_clockwait(sem_t *restrict sem, clockid_t clock, const struct timespec *restrict until)
{
    if (!ct_wait_clock_known(clock) || !ct_wait_time_valid(until))
        return ct_real.sem_clockwait(sem, clock, until);
    return SEM_WAIT(sem, ct_real.sem_clockwait(sem, clock, until));
}

CT_JUMPS int ct_seen_sem_post(sem_t *sem)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.sem_post(sem);
    return CT_SIGNAL(sem, false, ct_real.sem_post(sem));
}
