/* What happens at a signal, as the kernel has it: libc would refuse to tell of its own, and may be a wrapper. */
#pragma once

#include <stdint.h>

#include "record/syscall.h"

struct ct_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

/* As sigaction(2); returns 0 or a negative errno.  Async-signal-safe. */
static inline int ct_action_change(int number, const struct ct_action *act, struct ct_action *old)
{
    return (int)ct_syscall(SYS_rt_sigaction, number, act, old, sizeof old->mask);
}
