/* On which CPU a thread is, noticed while it writes other events: one load, no system call. */
#pragma once

#include <stddef.h>
#include <sys/rseq.h>

#include "record/emit.h"
#include "record/session_state.h"

/*
 * Where libc keeps it, a copy that is near: __rseq_offset.  0: the kernel or GLIBC_TUNABLES said no, and there are no CPU
 * lanes.
 */
extern ptrdiff_t ct_rseq_offset __attribute__((visibility("hidden")));

/* `cpu`: one more than the number of that which the thread is on now. */
__attribute__((cold)) void ct_cpu_changed(uint32_t cpu, uint64_t now);

/* HOT: 0.24 ns when the CPU is the same as last time.  Emits CPU when it is not, stamped `now`. */
static inline void ct_cpu_note(uint64_t now)
{
    const volatile struct rseq *rseq;
    uint32_t cpu;

    if (ct_rseq_offset == 0)
        return;
    rseq = (const volatile struct rseq *)((char *)__builtin_thread_pointer() + ct_rseq_offset);
    cpu = rseq->cpu_id + 1;
    if (__builtin_expect(cpu != ct_self.cpu, 0))
        ct_cpu_changed(cpu, now);
}
