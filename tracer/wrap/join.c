/* Waiting for threads to end, and letting them go. */
#include "wrap/real.h"
#include "wrap/thread_id.h"
#include "wrap/wait.h"

/* A thread that has ended already is not waited for: tryjoin says EBUSY of one that lives, and anything else is final. */
#define JOIN(thread, ret, blocking) \
    __extension__({ \
        uint64_t ct_serial; \
        int ct_joined; \
        CT_SAVE_FP(); \
        if (!ct_recording(CT_CAT_thread)) { \
            ct_joined = (blocking); \
        } else { \
            ct_serial = ct_thread_id_find(thread); \
            ct_joined = ct_real.pthread_tryjoin_np(thread, ret); \
            if (ct_joined == EBUSY) \
                ct_joined = CT_WAIT(JOIN_WAIT, ct_serial, 0, blocking, -ct_result); \
        } \
        ct_joined; \
    })

int ct_seen_pthread_join(pthread_t thread, void **ret)
{
    return JOIN(thread, ret, ct_real.pthread_join(thread, ret));
}

int ct_seen_pthread_timedjoin_np(pthread_t thread, void **ret, const struct timespec *until)
{
    if (!ct_wait_time_valid(until))
        return ct_real.pthread_timedjoin_np(thread, ret, until);
    return JOIN(thread, ret, ct_real.pthread_timedjoin_np(thread, ret, until));
}

int ct_seen_pthread_clockjoin_np(pthread_t thread, void **ret, clockid_t clock, const struct timespec *until)
{
    if (!ct_wait_clock_known(clock) || !ct_wait_time_valid(until))
        return ct_real.pthread_clockjoin_np(thread, ret, clock, until);
    return JOIN(thread, ret, ct_real.pthread_clockjoin_np(thread, ret, clock, until));
}

/* C11 joins through libc's own pthread_join; its result is the thread's int. */
int ct_seen_thrd_join(thrd_t thread, int *ret)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_thread) || !ct_thread_tid(thread))
        return ct_real.thrd_join(thread, ret);
    return CT_WAIT(JOIN_WAIT, ct_thread_id_find(thread), 0, ct_real.thrd_join(thread, ret),
                   ct_result == thrd_success ? 0 : -EINVAL);
}

static void emit_detach(uint64_t serial)
{
    if (ct_recording(CT_CAT_thread))
        EMIT(THREAD_DETACH, .thread = serial);
}

/* Who it is must be asked before: a detached thread's pthread_t is good for nothing once it has ended. */
static uint64_t serial_of(pthread_t thread)
{
    return ct_recording(CT_CAT_thread) ? ct_thread_id_find(thread) : 0;
}

int ct_seen_pthread_detach(pthread_t thread)
{
    uint64_t serial = serial_of(thread);
    int r = ct_real.pthread_detach(thread);

    if (r == 0)
        emit_detach(serial);
    return r;
}

int ct_seen_thrd_detach(thrd_t thread)
{
    uint64_t serial = serial_of(thread);
    int r = ct_real.thrd_detach(thread);

    if (r == thrd_success)
        emit_detach(serial);
    return r;
}
