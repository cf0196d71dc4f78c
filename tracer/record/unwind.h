/* The stack unwinder: return addresses of a thread, by the unwind tables every module carries. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "record/unwind_arch.h"

/* HOT: runs inside the traced program, at every event that carries a stack.
 *   budget   16 frames without frame pointers, warm: <= 50 ns, <= 25 ns when captured before
 *            (tests/bench/stack16.c)
 *   never    allocates, locks, changes errno, or calls libc, but for _dl_find_object (lock-free)
 *            when the cache has no rule
 *   safe     in signal handlers, in allocators, during dlopen; reads only the given stack and
 *            mapped module images */

/* Bits of the flags ct_unwind_*() return. */
enum ct_unwind_flag {
    CT_UNWIND_CUT = 1,  /* `max` frames were written and callers are missing */
    CT_UNWIND_LOST = 2, /* a frame could not be unwound, its callers are missing */
    CT_UNWIND_TRUNCATED = CT_UNWIND_CUT | CT_UNWIND_LOST,
};

/*
 * One thread's rules, keyed by return address.  Given as ct_unwind_cache_size() zeroed bytes,
 * aligned to 64; the owner maps and unmaps it.  Used by its thread only (its signal handlers
 * included), or by one other thread that unwinds it.
 */
struct ct_unwind_cache;

/* Bytes of a cache: a multiple of 64.  Only what is used of them is touched, from the first on. */
size_t ct_unwind_cache_size(void);

/*
 * Captures the stack described by `regs` into pcs[], innermost first, at most `max`; returns the
 * count. `regs`: pc is exact (the next instruction), as in a signal's ucontext or from
 * ct_unwind_regs_here(). `lo`, `hi`: bounds of that thread's stack.  Only [sp, hi) is ever read, so
 * for the main thread, whose stack grows, `lo` may be lower than what is mapped.  When sp is
 * outside, the thread is on its sigaltstack, which is asked for and crossed, or on a stack unknown
 * to us (fiber), of which only the page of sp is read. Every pcs[i] is such that pcs[i] - 1 lies
 * within the instruction to be named (call or interrupted one). Frames of this recorder itself are
 * left out, wherever they are.  `*flags` gets CT_UNWIND_* bits.
 */
unsigned ct_unwind_from(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                        uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags);

/*
 * The same.  Stacks that are captured again and again are recognized without unwinding, and with
 * each of these a word of the caller's is kept: `*note` points to it, 0 at first, until the next
 * capture with this cache; NULL for other stacks.  A handler that captures in between may have it
 * reused, so callers that write it keep handlers from capturing.
 */
unsigned ct_unwind_noted(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                         uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags,
                         uint64_t **note);

/*
 * ct_unwind_from() for a handler that may have interrupted a capture, or the use of its note: it leaves those of the
 * interrupted alone.
 */
unsigned ct_unwind_apart(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs, uintptr_t lo, uintptr_t hi,
                         uint64_t *pcs, unsigned max, unsigned *flags);

/*
 * ct_unwind_from() for the calling function's own stack.  Inlined, so that it costs no frame of its
 * own.
 */
static inline __attribute__((always_inline)) unsigned ct_unwind_here(struct ct_unwind_cache *cache,
                                                                     uintptr_t lo, uintptr_t hi,
                                                                     uint64_t *pcs, unsigned max,
                                                                     unsigned *flags)
{
    struct ct_unwind_regs regs;

    ct_unwind_regs_here(&regs);
    return ct_unwind_from(cache, &regs, lo, hi, pcs, max, flags);
}

/*
 * Makes all cached rules stale.  To be called right before and right after each real dlclose.  Any
 * thread.
 */
void ct_unwind_forget(void);

/*
 * Leaves frames of the module that holds `code` out of stacks too (libctrace.so's trace_*
 * functions). One such module, NULL for none; to be called before its first event.  The recorder's
 * own library needs no call.
 */
void ct_unwind_skip(const void *code);

/* A hash of a stack, never 0.  6-8 ns for 16 frames. */
static inline uint64_t ct_unwind_hash(const uint64_t *pcs, unsigned n)
{
    uint64_t key = 0x9e3779b97f4a7c15, sum = n;

    /*
     * Products of pairs under keys of their place are summed: no product waits for the one before
     * it.
     */
    for (unsigned i = 1; i < n; i += 2) {
        sum += (pcs[i - 1] ^ key) * (pcs[i] - key);
        key += 0xd6e8feb86659fd92;
    }
    if (n & 1)
        sum += (pcs[n - 1] ^ 0xc2b2ae3d27d4eb4f) * 0xff51afd7ed558ccd;
    sum = (sum ^ sum >> 32) * 0xd6e8feb86659fd93;
    sum ^= sum >> 29;
    return sum ? sum : 1;
}
