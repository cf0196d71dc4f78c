/* Condition variables. */
#include "wrap/real.h"
#include "wrap/wait.h"

/*
 * On x86-64 a program linked before 2003 binds the old versions (GLIBC_2.2.5), whose variables hold a pointer to one of
 * the new kind.  An unversioned wrapper catches both and cannot tell them apart; it serves the new.
 */

int ct_seen_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return CT_COND(cond, mutex, ct_real.pthread_cond_wait(cond, mutex), -ct_result);
}

int ct_seen_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
    return CT_COND(cond, mutex, ct_real.pthread_cond_timedwait(cond, mutex, until), -ct_result);
}

int ct_seen_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                      const struct timespec *until)
{
    return CT_COND(cond, mutex, ct_real.pthread_cond_clockwait(cond, mutex, clock, until), -ct_result);
}

CT_JUMPS int ct_seen_pthread_cond_signal(pthread_cond_t *cond)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.pthread_cond_signal(cond);
    return CT_SIGNAL(cond, false, ct_real.pthread_cond_signal(cond));
}

CT_JUMPS int ct_seen_pthread_cond_broadcast(pthread_cond_t *cond)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.pthread_cond_broadcast(cond);
    return CT_SIGNAL(cond, true, ct_real.pthread_cond_broadcast(cond));
}
