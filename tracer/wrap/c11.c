/* C11 mutexes and condition variables; their threads are in thread.c and join.c. */
#include "wrap/real.h"
#include "wrap/wait.h"

/* thrd_error says no more than that something was wrong. */
static int errno_of(int result)
{
    return result == thrd_success ? 0 : result == thrd_timedout ? -ETIMEDOUT : result == thrd_nomem ? -ENOMEM : -EINVAL;
}

#define MTX_LOCK(mutex, blocking) \
    __extension__({ \
        int ct_locked; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_lock)) \
            ct_locked = (blocking); \
        else if ((ct_locked = ct_real.mtx_trylock(mutex)) == thrd_busy) \
            ct_locked = CT_WAIT(MUTEX_WAIT, mutex, 0, blocking, errno_of(ct_result)); \
        ct_locked; \
    })

int ct_seen_mtx_lock(mtx_t *mutex)
{
    return MTX_LOCK(mutex, ct_real.mtx_lock(mutex));
}

int ct_seen_mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict until)
{
    return MTX_LOCK(mutex, ct_real.mtx_timedlock(mutex, until));
}

CT_JUMPS int ct_seen_mtx_unlock(mtx_t *mutex)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.mtx_unlock(mutex);
    return CT_WAKE(mutex, ct_real.mtx_unlock(mutex));
}

int ct_seen_cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    return CT_COND(cond, mutex, ct_real.cnd_wait(cond, mutex), errno_of(ct_result));
}

int ct_seen_cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    return CT_COND(cond, mutex, ct_real.cnd_timedwait(cond, mutex, until), errno_of(ct_result));
}

CT_JUMPS int ct_seen_cnd_signal(cnd_t *cond)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.cnd_signal(cond);
    return CT_SIGNAL(cond, false, ct_real.cnd_signal(cond));
}

CT_JUMPS int ct_seen_cnd_broadcast(cnd_t *cond)
{
    if (!ct_recording(CT_CAT_lock))
        return ct_real.cnd_broadcast(cond);
    return CT_SIGNAL(cond, true, ct_real.cnd_broadcast(cond));
}
