/* Condition variables. */
#include "wrap/real.h"
#include "wrap/wait.h"

/*
 * On x86-64 a program linked before 2003 binds the old versions (GLIBC_2.2.5), whose variables hold a pointer to one of
 * the new kind.  A wrapper without a version would catch both and could not tell them apart: these alone have versions of
 * their own (wrap/versions.map).
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

#if defined(__x86_64__)

/* Nobody who is in a hurry calls these: each is looked up again. */
#define OLD(name, parameters) \
    __attribute__((visibility("default"))) int ct_old_##name parameters; \
    asm(".symver ct_old_" #name ", " #name "@GLIBC_2.2.5"); \
    int ct_old_##name parameters
#define REAL_OLD(name) ((int (*)(void *, ...))(uintptr_t)ct_real_older(#name))

OLD(pthread_cond_wait, (void *cond, pthread_mutex_t *mutex))
{
    return CT_COND(cond, mutex, REAL_OLD(pthread_cond_wait)(cond, mutex), -ct_result);
}

OLD(pthread_cond_timedwait, (void *cond, pthread_mutex_t *mutex, const struct timespec *until))
{
    return CT_COND(cond, mutex, REAL_OLD(pthread_cond_timedwait)(cond, mutex, until), -ct_result);
}

OLD(pthread_cond_signal, (void *cond))
{
    if (!ct_recording(CT_CAT_lock))
        return REAL_OLD(pthread_cond_signal)(cond);
    return CT_SIGNAL(cond, false, REAL_OLD(pthread_cond_signal)(cond));
}

OLD(pthread_cond_broadcast, (void *cond))
{
    if (!ct_recording(CT_CAT_lock))
        return REAL_OLD(pthread_cond_broadcast)(cond);
    return CT_SIGNAL(cond, true, REAL_OLD(pthread_cond_broadcast)(cond));
}

#endif
