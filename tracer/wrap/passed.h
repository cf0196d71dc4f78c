/*
 * Functions that are jumped to with every register and the stack as the caller left them, also by the first call: those
 * with variable arguments, and syscall(), by which a child may be made that returns past us.
 */
#pragma once

#include <stdint.h>

#include "wrap/real.h"

/* One of them.  Assembly knows where the first two stand. */
struct ct_passed {
    const void *way;                    /* where its wrapper jumps: `real`, or `body` while somebody listens */
    const void *real;                   /* libc's; at first code that looks it up and goes on there */
    const void *body;
    const char *name;
};

/* Their numbers. */
enum {
#define PASSED(result, name, ...) CT_PASSED_##name,
#include "wrap/real.def"
    CT_PASSED_END
};
extern struct ct_passed ct_passed[CT_PASSED_END] __attribute__((visibility("hidden")));

/* What `name` really is, which no C function can be in the way of. */
#define CT_PASSED_REAL(name) __atomic_load_n(&ct_passed[CT_PASSED_##name].real, __ATOMIC_RELAXED)

/* As ct_route_lead(). */
void ct_passed_lead(bool through);
