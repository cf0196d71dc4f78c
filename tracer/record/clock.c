/* Reads of several clocks at one moment, and the tick's rate. */
#include "record/clock.h"

#include <time.h>

#include "record/syscall.h"

unsigned ct_clock_kind(void)
{
#if defined(__x86_64__)
    return CT_CLOCK_TSC;
#else
    return CT_CLOCK_CNTVCT;
#endif
}

static uint64_t clock_ns(int clock)
{
    struct timespec now = { 0, 0 };

    ct_syscall(SYS_clock_gettime, clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void ct_clock_sample(struct ct_clock_sample *ret)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 4; i++) {
        uint64_t before = ct_clock_now();
        uint64_t monotonic = clock_ns(CLOCK_MONOTONIC);
        uint64_t between = ct_clock_now();
        uint64_t realtime = clock_ns(CLOCK_REALTIME);

        if (between - before >= best)
            continue;
        best = between - before;
        ret->ticks = before + best / 2;
        ret->monotonic_ns = monotonic;
        ret->realtime_ns = realtime;
    }
}

uint64_t ct_clock_rate(void)
{
#if defined(__aarch64__)
    uint64_t hertz;

    asm volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
    return hertz;
#else
    struct ct_clock_sample from, to;

    /* A rough figure is enough: readers use the pairs of the generations. */
    ct_clock_sample(&from);
    do
        ct_clock_sample(&to);
    while (to.monotonic_ns - from.monotonic_ns < 50000);
    return (uint64_t)((unsigned __int128)(to.ticks - from.ticks) * 1000000000u / (to.monotonic_ns - from.monotonic_ns));
#endif
}
