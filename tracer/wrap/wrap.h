/* What every wrapper needs. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "record/gate.h"
#include "record/session.h"

/*
 * A wrapper is exported without a version: a definition with one of its own would not be bound to.  It never allocates,
 * takes no lock, leaves errno as the real call left it, and holds nothing across the real call that a siglongjmp(), a
 * cancellation or an exception would have to give back.
 */
#define CT_WRAPPER __attribute__((visibility("default")))

/* In programs' inner loops: with the gate shut it jumps into libc instead of calling it. */
#define CT_WRAPPER_HOT CT_WRAPPER CT_JUMPS
#if defined(__clang__)
#define CT_JUMPS
#else
#define CT_JUMPS __attribute__((optimize("optimize-sibling-calls")))
#endif

/*
 * In wrappers that block: the frame pointer is saved in our frame, and the caller's is in its register no longer.
 * A blocked thread is unwound from outside, where its registers cannot be had.
 */
#if defined(__x86_64__)
#define CT_SAVE_FP() asm volatile("" ::: "rbp")
#else
#define CT_SAVE_FP() ((void)0)
#endif

/* HOT: the first test of a hot wrapper; what follows when it is false stands in a function of its own, that calls. */
static inline bool ct_gate_is_shut(void)
{
    return __builtin_expect(atomic_load_explicit(&ct_gate.word, memory_order_relaxed) == CT_GATE_SHUT, 1);
}

/* HOT: the rest of the test, for who found the gate not shut. */
static inline bool ct_recording_still(unsigned category)
{
    return ct_wanted(category) && (__builtin_expect(atomic_load_explicit(&ct_gate.word, memory_order_relaxed) >=
                                                    CT_GATE_FIRST, 1) || ct_gate_open());
}

/* HOT: whether events of this category are recorded.  Shut: one load and a branch. */
static inline bool ct_recording(unsigned category)
{
    return ct_gate_open() && ct_wanted(category);
}
