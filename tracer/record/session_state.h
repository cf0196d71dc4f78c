/* What is known of this process while it may be traced: options, arena, number.  On the ground: all look here, it looks nowhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/arena.h"

/*
 * Options, from CTRACE_SESSION="dir=...;buffer=...;categories=...;depth=...;start=1;paths=1;cpu_rate=...;
 * cpu_signal=...;heap_rate=...;alloc_slow=...;run=..." (`ctrace record`),
 * or from trace_start().
 */
struct ct_session_options {
    uint64_t categories;            /* bit mask of enum ct_category; read at each call, and first for that */
    uint64_t buffer;                /* bytes of the arena; 0: the default for this machine */
    char dir[108 - 8];              /* session directory; empty: no arena file, memfd */
    uint32_t depth;                 /* frames of a stack */
    uint32_t cpu_rate, cpu_signal;  /* samples a second of CPU time; the signal that takes them, 0: any that is free */
    uint64_t heap_rate;             /* mean bytes between sampled allocations; 0: none is */
    uint64_t alloc_slow;            /* ns from which on a call of the allocator is told; 0: none is timed */
    uint64_t block_rate;            /* mean ns of waiting between sampled waits; 1: all are, 0: none is */
    uint32_t mutex_fraction;        /* one in so many contended unlocks is sampled; 0: none is */
    bool start;                     /* open the gate at once */
    bool lttng;                     /* tell LTTng as well */
    bool paths;                     /* record names of files and peers */
    bool asks;                      /* ctrace may ask where blocked threads are, while they are */
    bool record;                    /* somebody listens at dir/ctl */
    bool inside;                    /* it is this program, or a parent of it, that called trace_serve() */
    uint32_t only;                  /* not 0: the one process that is to be recorded, not its children (--no-follow) */
    uint8_t run_id[CT_UUID_SIZE];
};

extern struct ct_session_options ct_options __attribute__((visibility("hidden")));
/* The arena, NULL when there is none; and the number of this process (changes with each fork). */
extern struct ct_arena *ct_arena __attribute__((visibility("hidden")));
extern uint32_t ct_session_serial __attribute__((visibility("hidden")));
/* Calls that take more ticks than these 20 us are slow: a stack is worth its price then. */
extern uint64_t ct_slow_ticks __attribute__((visibility("hidden")));
/* The program's allocator is libc's; set by the wrappers before main. */
extern bool ct_malloc_is_libc __attribute__((visibility("hidden")));

static inline bool ct_wanted(unsigned category)
{
    return __atomic_load_n(&ct_options.categories, __ATOMIC_RELAXED) >> category & 1;
}

static inline bool ct_is_slow(uint64_t ticks)
{
    return __builtin_expect(ticks > ct_slow_ticks, 0);
}

/* False in a vfork or clone(CLONE_VM) child, which must not change the parent's session. */
bool ct_session_is_owner(void);
