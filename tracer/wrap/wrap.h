/* What every wrapper needs. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "record/gate.h"
#include "record/session_state.h"

/*
 * A wrapper is exported without a version: a definition with one of its own would not be bound to.  It never allocates,
 * takes no lock, leaves errno as the real call left it, and holds nothing across the real call that a siglongjmp(), a
 * cancellation or an exception would have to give back.
 */
#define CT_WRAPPER __attribute__((visibility("default")))

/* Functions that jump where others call, and their `return`: without a frame, and so not for calls that block. */
#if defined(__clang__)
#define CT_JUMPS
#define CT_JUMP __attribute__((musttail))
#else
#define CT_JUMPS __attribute__((optimize("optimize-sibling-calls")))
#define CT_JUMP
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

/* HOT: whether events of this category are recorded.  Shut: one load and a branch. */
static inline bool ct_recording(unsigned category)
{
    return ct_gate_open() && ct_wanted(category);
}
