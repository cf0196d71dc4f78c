/* What the recorder tells the samplers of tracer/profile, which stand above it; without them it samples nothing. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/thread_dump.h"

enum { CT_SHOTS = 32 };                 /* at a time */

/* One stack of one thread, which writes it down when it next uses CPU time.  The first four are profile/shot.c's. */
struct ct_shot {
    _Atomic uint32_t state, tid;
    _Atomic int timer;
    bool taken;
    bool cut;                           /* callers are missing */
    unsigned depth;
    uint64_t pcs[CT_DUMP_DEPTH];        /* return addresses, innermost first */
};

struct ct_sampler {
    void (*begin)(void);                /* control thread: the gate is about to be opened; from there on nothing may be missed */
    /*
     * Control thread: samples what ct_options asks for while `recording`, and nothing else.  Called when the gate was
     * opened, at each turn, when options changed, and before the gate is shut.
     */
    void (*follow)(bool recording);
    void (*poked)(bool recording);      /* control thread: somebody poked it, maybe a sampler that cannot wait for a turn */
    int64_t (*look_ns)(void);           /* control thread: `poked` is to be called after so long as well; -1: it need not */
    void (*rates_changed)(void);        /* in ct_options, by the calling thread */
    void (*thread_born)(bool kept_out); /* first act of a thread; it is attached; `kept_out` as in struct ct_birth */
    void (*thread_gone)(void);          /* last act */
    void (*forked_child)(void);         /* in a child, before anything is recorded: nothing is sampled yet */
    /*
     * The calling thread's signal mask becomes what the program believes it to be, for a program to come or for a child that
     * is about to be made; and then ours again.  Also in a vfork() child.
     */
    void (*before_exec)(void);
    void (*after_exec)(void);
    void (*ending)(void);               /* the process ends: what went wrong is said now or never */

    /*
     * Control thread: asks a thread for its stack.  NULL when it cannot be asked: no signal is free, it blocks the one that
     * is, or there are too many timers.  Once done, depth, cut and pcs stay until the end.
     */
    struct ct_shot *(*shot_begin)(uint32_t tid);
    bool (*shot_done)(struct ct_shot *shot);
    void (*shot_end)(struct ct_shot *shot);
    void (*shot_wait)(int64_t ns);      /* until one more is done, at most so long */
};

/* NULL in programs that were linked without samplers (unit tests). */
extern const struct ct_sampler ct_sampler __attribute__((weak, visibility("hidden")));

#define CT_SAMPLER(call, ...) \
    do { \
        if (&ct_sampler) \
            ct_sampler.call(__VA_ARGS__); \
    } while (0)
