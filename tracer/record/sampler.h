/* What the recorder tells the samplers of tracer/profile, which stand above it; without them it samples nothing. */
#pragma once

#include <stdbool.h>

struct ct_sampler {
    /*
     * Control thread: samples what ct_options asks for while `recording`, and nothing else.  Called when the gate was
     * opened, at each turn, when options changed, and before the gate is shut.
     */
    void (*follow)(bool recording);
    void (*thread_born)(void);          /* first act of a thread; it is attached */
    void (*thread_gone)(void);          /* last act */
    void (*forked_child)(void);         /* in a child, before anything is recorded: nothing is sampled yet */
    void (*before_exec)(void);          /* the program to come finds the thread's signal mask as it should be */
    void (*after_exec)(void);           /* it did not come */
    void (*ending)(void);               /* the process ends: what went wrong is said now or never */
};

/* NULL in programs that were linked without samplers (unit tests). */
extern const struct ct_sampler ct_sampler __attribute__((weak, visibility("hidden")));

#define CT_SAMPLER(call, ...) \
    do { \
        if (&ct_sampler) \
            ct_sampler.call(__VA_ARGS__); \
    } while (0)
