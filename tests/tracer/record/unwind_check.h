/* What the unwinder's tests share: bounds, cache, and the comparison with libgcc's unwinder. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unwind.h>

#include "record/unwind.h"

enum { PAGE = 4096, STACK_MAX = 256 };

#define NOINLINE __attribute__((noinline, noclone))

struct stack {
    uint64_t pcs[STACK_MAX];
    unsigned count;
    unsigned flags;
};

/* The calling thread's, as the recorder keeps them. */
static __thread struct ct_unwind_cache *cache;
static __thread uintptr_t stack_low, stack_high;

static struct ct_unwind_cache *map_cache(void)
{
    void *memory = mmap(NULL, ct_unwind_cache_size(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void prepare_thread(void)
{
    pthread_attr_t attributes;
    size_t size;
    void *low;

    cache = map_cache();
    if (!cache || pthread_getattr_np(pthread_self(), &attributes) ||
        pthread_attr_getstack(&attributes, &low, &size))
        abort();
    pthread_attr_destroy(&attributes);
    stack_low = (uintptr_t)low;
    stack_high = stack_low + size;
}

static int prepare_main(void **state)
{
    (void)state;
#ifdef __AVX2__
    if (!__builtin_cpu_supports("avx2"))
        exit(77); /* built for processors newer than this one */
#endif
    prepare_thread();
    return 0;
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *argument)
{
    struct stack *stack = argument;
    int is_exact = 0;
    uint64_t pc = _Unwind_GetIPInfo(context, &is_exact);

    if (pc == 0 || stack->count == STACK_MAX)
        return _URC_END_OF_STACK;
    stack->pcs[stack->count++] = pc + (is_exact != 0);
    return _URC_NO_REASON;
}

/* Counts of comparisons, for tests whose calls come back through other people's code. */
static unsigned compared, differed;

static void print_stack(const char *whose, const struct stack *stack)
{
    fprintf(stderr, "%s: flags %u\n", whose, stack->flags);
    for (unsigned i = 0; i < stack->count; i++) {
        Dl_info info = { 0 };

        dladdr((void *)(stack->pcs[i] - 1), &info);
        fprintf(stderr, "  %#lx %s %s\n", (unsigned long)stack->pcs[i],
                info.dli_fname ? info.dli_fname : "?", info.dli_sname ? info.dli_sname : "?");
    }
}

/*
 * Captures again and again until the unwinder knows the stack, and once more; always the same,
 * whichever way it went.
 */
static NOINLINE bool is_known_stack(const struct stack *theirs)
{
    struct ct_unwind_regs regs;
    struct stack ours = { .count = 0 };
    uint64_t *note = NULL;

    ct_unwind_regs_here(&regs);
    for (int i = 0, known = 0; i < 20 && known < 3; i++) {
        ours.count = ct_unwind_noted(cache, &regs, stack_low, stack_high, ours.pcs, STACK_MAX,
                                     &ours.flags, &note);
        known += note != NULL;
        if (ours.flags == 0 && ours.count == theirs->count + 1 &&
            memcmp(ours.pcs + 2, theirs->pcs + 1, (theirs->count - 1) * sizeof(*ours.pcs)) == 0)
            continue;
        if (differed == 0) {
            print_stack(i == 0 ? "ours" : "ours, again", &ours);
            print_stack("libgcc", theirs);
        }
        return false;
    }
    return true;
}

/*
 * The end of every shape: both unwinders, one result, but for the innermost frames, which are where
 * each was asked. Takes an argument to be a callback too.
 */
static NOINLINE void compare(void *unused)
{
    struct stack theirs = { .count = 0 };
    int saved = errno;

    (void)unused;
    _Unwind_Backtrace(add_frame, &theirs);
    errno = 4711;
    differed += !is_known_stack(&theirs);
    differed += errno != 4711;
    errno = saved;
    compared++;
}

static void assert_compared(unsigned least)
{
    unsigned done = compared, bad = differed;

    compared = differed = 0;
    assert_int_equal(bad, 0);
    assert_true(done >= least);
}

/* Keeps a call from being the function's last act, which would make it a jump. */
static volatile unsigned after;

#define AFTER() (after++)

/* A stack of known depth. */
static NOINLINE int recurse(int depth, struct stack *stack, unsigned max)
{
    int r = 0;

    if (depth > 0)
        r = recurse(depth - 1, stack, max) + 1;
    else
        stack->count = ct_unwind_here(cache, stack_low, stack_high, stack->pcs, max, &stack->flags);
    AFTER();
    return r;
}
