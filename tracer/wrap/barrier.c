/* Barriers: whoever comes last wakes all others. */
#include "wrap/real.h"
#include "wrap/wait.h"

/* glibc gives PTHREAD_BARRIER_SERIAL_THREAD to the last to arrive.  It waited for nobody, but nothing said so before. */
int ct_seen_pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct ct_wait wait;
    uint64_t arrived;
    int r;

    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_lock))
        return ct_real.pthread_barrier_wait(barrier);
    ct_wait_begin(&wait, CT_EV_BARRIER_WAIT, (uintptr_t)barrier, 0);
    arrived = ct_clock_now();
    r = ct_real.pthread_barrier_wait(barrier);
    if (r == PTHREAD_BARRIER_SERIAL_THREAD)
        ct_signal_emit(barrier, arrived);
    ct_wait_end(&wait, r == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : -r);
    return r;
}
