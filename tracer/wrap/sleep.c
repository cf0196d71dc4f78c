/* Sleeps. */
#include "wrap/real.h"
#include "wrap/wait.h"

static uint64_t ns_of(const struct timespec *t)
{
    return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

/* How long a sleep until `until` will be. */
static uint64_t ns_until(clockid_t clock, const struct timespec *until)
{
    int saved = errno;
    struct timespec now;
    uint64_t from = 0, to = ns_of(until);

    if (clock_gettime(clock, &now) == 0)
        from = ns_of(&now);
    errno = saved;
    return to > from ? to - from : 0;
}

/* A time that is none, or nowhere, is the real call's to refuse. */
static bool readable(const struct timespec *t)
{
    return (uintptr_t)t >= 4096 && (uintptr_t)t < (uintptr_t)1 << 47 && ct_wait_time_valid(t);
}

int ct_seen_nanosleep(const struct timespec *span, struct timespec *left)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_sleep) || !readable(span))
        return ct_real.nanosleep(span, left);
    return CT_WAIT(SLEEP, ns_of(span), 0, ct_real.nanosleep(span, left), ct_result == 0 ? 0 : -errno);
}

int ct_seen_clock_nanosleep(clockid_t clock, int flags, const struct timespec *span, struct timespec *left)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_sleep) || !readable(span))
        return ct_real.clock_nanosleep(clock, flags, span, left);
    return CT_WAIT(SLEEP, flags & TIMER_ABSTIME ? ns_until(clock, span) : ns_of(span), 0,
                   ct_real.clock_nanosleep(clock, flags, span, left), -ct_result);
}

int ct_seen_usleep(useconds_t us)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_sleep))
        return ct_real.usleep(us);
    return CT_WAIT(SLEEP, (uint64_t)us * 1000, 0, ct_real.usleep(us), ct_result == 0 ? 0 : -errno);
}

/* What is left of it is returned when a signal came in between. */
unsigned ct_seen_sleep(unsigned seconds)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_sleep))
        return ct_real.sleep(seconds);
    return (unsigned)CT_WAIT(SLEEP, (uint64_t)seconds * 1000000000, 0, (int)ct_real.sleep(seconds),
                             ct_result == 0 ? 0 : -EINTR);
}

/* C11: -1 when interrupted, another negative number otherwise. */
int ct_seen_thrd_sleep(const struct timespec *span, struct timespec *left)
{
    CT_SAVE_FP();
    if (!ct_recording(CT_CAT_sleep) || !readable(span))
        return ct_real.thrd_sleep(span, left);
    return CT_WAIT(SLEEP, ns_of(span), 0, ct_real.thrd_sleep(span, left),
                   ct_result == 0 ? 0 : ct_result == -1 ? -EINTR : -EINVAL);
}
