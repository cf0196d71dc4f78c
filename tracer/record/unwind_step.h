/* Single steps of the unwinder: the stacks a walk is on, and the unusual rules. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "record/unwind.h"

enum { CT_UNWIND_PAGE = 4096 };

struct ct_unwind_bounds {
    uintptr_t low;
    uintptr_t high;
};

struct ct_unwind_walk {
    struct ct_unwind_bounds stack; /* the one the frame is on */
    uintptr_t floor;               /* what lies between here and the end of that stack is mapped */
    struct ct_unwind_bounds
        home; /* the thread's own, to which a signal's frame on another may lead back; once */
};

/* How a walk ends. */
enum ct_unwind_ending {
    CT_UNWIND_GOES_ON = 0,
    CT_UNWIND_ENDS_CUT = CT_UNWIND_CUT,
    CT_UNWIND_ENDS_LOST = CT_UNWIND_LOST,
    CT_UNWIND_ENDS = 256,
};

/* Where a frame goes on. */
struct ct_unwind_frame {
    uint64_t ra; /* ra - 1 lies within the instruction under way; 0: there is no such frame */
    uintptr_t sp;
    uintptr_t fp;
};

static inline bool ct_unwind_within(const struct ct_unwind_bounds *bounds, uintptr_t sp)
{
    return sp - bounds->low < bounds->high - bounds->low;
}

/*
 * What sanitizers know of a frame's variables says nothing about its return address, and a hostile
 * sp may be odd.
 */
__attribute__((no_sanitize("address", "undefined"))) static inline uint64_t
ct_unwind_load(uintptr_t address)
{
    return *(const uint64_t *)address; /* NOLINT: an address is all there is */
}

/* The lowest address that is mapped for sure when a frame's sp is known. */
static inline uintptr_t ct_unwind_floor(uintptr_t sp)
{
    return sp & -(uintptr_t)CT_UNWIND_PAGE;
}

/* The stack that holds `sp` when it is not the thread's own. */
struct ct_unwind_bounds ct_unwind_other_stack(uintptr_t sp);

/* Prepares to walk from `sp` up. */
static inline void ct_unwind_start(struct ct_unwind_walk *walk, uintptr_t lo, uintptr_t hi,
                                   uintptr_t sp)
{
    walk->home = walk->stack = (struct ct_unwind_bounds){ lo, hi };
    walk->floor = ct_unwind_floor(sp);
    if (__builtin_expect(!ct_unwind_within(&walk->home, sp), 0))
        walk->stack = ct_unwind_other_stack(sp);
}

/* Steps from `frame` to its caller by a rule with CT_RULE_SLOW, or says why the walk ends. */
enum ct_unwind_ending ct_unwind_step(struct ct_unwind_walk *walk, struct ct_unwind_frame *frame,
                                     uint64_t rule);
