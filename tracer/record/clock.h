/* The clock of events: ticks of 16 TSC cycles; and the three clocks read together for a generation. */
#pragma once

#include "format/tables.h"

/* HOT: the TSC read is most of what an event costs; no fence, no scaling. */
static inline uint64_t ct_clock_now(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc() >> CT_TICK_SHIFT;
#elif defined(__aarch64__)
    uint64_t ticks;

    asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
#error "this CPU has no clock that ctrace knows"
#endif
}

/* enum ct_clock_kind of this machine, and its nominal rate in ticks a second (measured over about 1 ms on x86-64). */
unsigned ct_clock_kind(void);
uint64_t ct_clock_rate(void);

/* Reads the three clocks; the closest of a few tries.  Raw system calls only: runs on the control thread. */
void ct_clock_sample(struct ct_clock_sample *ret);
