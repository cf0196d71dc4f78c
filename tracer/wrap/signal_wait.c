/*
 * Waits that take out of what is pending a signal that the program has blocked; the others are made by called.c.  Where our signal came
 * to be blocked behind our back a tick may be pending, which is none of the program's: it goes on waiting.
 */
#include <time.h>

#include "profile/cpu.h"
#include "profile/signal.h"
#include "wrap/called.h"
#include "wrap/real.h"

enum { SECOND = 1000000000 };

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * (int64_t)SECOND + t.tv_nsec;
}

/* What is left of a span that the kernel took. */
static struct timespec rest_of(const struct timespec *span, int64_t used)
{
    struct timespec rest = { span->tv_sec - used / SECOND, span->tv_nsec - used % SECOND };

    if (rest.tv_nsec < 0) {
        rest.tv_nsec += SECOND;
        rest.tv_sec--;
    }
    return rest.tv_sec < 0 ? (struct timespec){ 0, 0 } : rest;
}

/* `span`: NULL has no end. */
static int wait_for(const sigset_t *set, siginfo_t *info, const struct timespec *span)
{
    siginfo_t own;
    struct timespec rest;
    int64_t start;
    int r;

    if (!ct_signal_ours())
        return ct_real.sigtimedwait(set, info, span);
    info = info ? info : &own;
    start = span ? now() : 0;
    r = ct_real.sigtimedwait(set, info, span);
    while (r > 0 && ct_cpu_is_tick(info)) {
        if (span)
            rest = rest_of(span, now() - start);
        r = ct_real.sigtimedwait(set, info, span ? &rest : NULL);
    }
    return r;
}

/* As libc's: a handler that runs meanwhile does not end it. */
static int wait_through(const sigset_t *set, int *ret)
{
    siginfo_t info;
    int r;

    if (!ct_signal_ours())
        return ct_real.sigwait(set, ret);
    do
        r = wait_for(set, &info, NULL);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return errno;
    *ret = r;
    return 0;
}

int ct_seen_sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict span)
{
    return CT_CALLED(sigtimedwait, -1, wait_for(set, info, span),
                     ct_called_signal(CT_CALL_sigtimedwait, ct_start, CT_CALL_RESULT(ct_result)));
}

int ct_seen_sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    return CT_CALLED(sigwaitinfo, -1, wait_for(set, info, NULL),
                     ct_called_signal(CT_CALL_sigwaitinfo, ct_start, CT_CALL_RESULT(ct_result)));
}

int ct_seen_sigwait(const sigset_t *restrict set, int *restrict ret)
{
    return CT_CALLED(sigwait, -1, wait_through(set, ret),
                     ct_called_signal(CT_CALL_sigwait, ct_start, ct_result ? -(int64_t)ct_result : *ret));
}
