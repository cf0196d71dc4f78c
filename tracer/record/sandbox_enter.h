/* Filters of system calls as they are installed: the recorder withdraws before, and comes back when they were refused. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "record/sandbox.h"

/* What is about to be installed; `filter` is a pointer of the program's, which may be bad. */
struct sock_fprog;
struct ct_sandbox_step {
    uint64_t added[CT_SANDBOX_WORDS];   /* calls that are forbidden since, by number */
    bool harmful, silent;               /* silent: nothing is recorded since, of any thread */
};
/*
 * Before the call that installs it: from here on the recorder obeys.  `strict` instead of a filter: nothing but read,
 * write, exit and sigreturn, and no TSC; `filter` NULL and not strict: nothing changes.  `all`: of all threads at once.  Keeps errno.
 */
void ct_sandbox_enter(struct ct_sandbox_step *ret, bool strict, const struct sock_fprog *filter, bool all);
/* After it: when it was not installed, the recorder goes on as before.  Keeps errno. */
void ct_sandbox_entered(const struct ct_sandbox_step *step, bool installed);
