/* The tick clock as a program's recorder reads it, for whoever drains it on the same machine. */
#pragma once

#include <errno.h>
#include <time.h>

#include "format/tables.h"

/* Reads the three clocks at one moment.  Returns 0, or -ENOTSUP when this machine has no such tick clock. */
static inline int ct_drain_clock(enum ct_clock_kind kind, struct ct_clock_sample *ret)
{
    struct timespec monotonic, realtime;

    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    clock_gettime(CLOCK_REALTIME, &realtime);
    ret->monotonic_ns = (uint64_t)monotonic.tv_sec * 1000000000u + (uint64_t)monotonic.tv_nsec;
    ret->realtime_ns = (uint64_t)realtime.tv_sec * 1000000000u + (uint64_t)realtime.tv_nsec;
    if (kind == CT_CLOCK_MONOTONIC) {
        ret->ticks = ret->monotonic_ns;
        return 0;
    }
#if defined(__x86_64__)
    if (kind == CT_CLOCK_TSC) {
        ret->ticks = __builtin_ia32_rdtsc() >> CT_TICK_SHIFT;
        return 0;
    }
#elif defined(__aarch64__)
    if (kind == CT_CLOCK_CNTVCT) {
        asm volatile("mrs %0, cntvct_el0" : "=r"(ret->ticks));
        return 0;
    }
#endif
    return -ENOTSUP;
}
