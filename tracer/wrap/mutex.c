/* Mutexes. */
#include "wrap/real.h"
#include "wrap/wait.h"

/* HOT: pthread_mutex_lock and _unlock are in every program's inner loops.
 *   budget   gate open, uncontended pair: + 2 ns (tests/bench/mutex.c). */

CT_WRAPPER int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return CT_LOCK(MUTEX_WAIT, mutex, ct_real.pthread_mutex_trylock(mutex), ct_real.pthread_mutex_lock(mutex));
}

CT_WRAPPER int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    return CT_LOCK(MUTEX_WAIT, mutex, ct_real.pthread_mutex_trylock(mutex), ct_real.pthread_mutex_timedlock(mutex, until));
}

CT_WRAPPER int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    if (!ct_wait_clock_known(clock))
        return ct_real.pthread_mutex_clocklock(mutex, clock, until);
    return CT_LOCK(MUTEX_WAIT, mutex, ct_real.pthread_mutex_trylock(mutex),
                   ct_real.pthread_mutex_clocklock(mutex, clock, until));
}

CT_WRAPPER int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    return CT_WAKE(mutex, ct_real.pthread_mutex_unlock(mutex));
}
