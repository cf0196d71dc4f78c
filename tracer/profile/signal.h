/*
 * The signal that ticks come by.  It is lent from the program, which must not notice: to it the signal looks as if it had
 * its default action and the mask that it was given, and once the program wants it for itself it has it.
 */
#pragma once

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "record/unwind_arch.h"

/*
 * Makes `handler` the handler of signal `wanted`, or of the first one that the program has no use for when it is 0; does
 * nothing when one is ours already.  Every signal is blocked while it runs.  Returns the signal, 0 when there is none.
 * Control thread.
 */
int ct_signal_take(unsigned wanted, void (*handler)(int, siginfo_t *, void *));

/* The signal that is ours, 0 when none is.  Relaxed throughout: the kernel's table of handlers decides, this is a hint. */
extern _Atomic int ct_signal_lent __attribute__((visibility("hidden")));

static inline int ct_signal_ours(void)
{
    return atomic_load_explicit(&ct_signal_lent, memory_order_relaxed);
}

/* The program wants the signal that is ours: it is never taken again. */
void ct_signal_yield(void);

/* Looks whether somebody has put a handler of his own in our place, and yields then.  Control thread. */
void ct_signal_check(void);

/* In our handler: a signal that is not our tick gets what it would have got without us. */
void ct_signal_pass_on(int number, siginfo_t *info, void *context);

/* What a handler interrupted. */
static inline struct ct_unwind_regs ct_signal_registers(const void *context)
{
    const ucontext_t *c = context;

#if defined(__x86_64__)
    return (struct ct_unwind_regs){ (uintptr_t)c->uc_mcontext.gregs[REG_RIP], (uintptr_t)c->uc_mcontext.gregs[REG_RSP],
                                    (uintptr_t)c->uc_mcontext.gregs[REG_RBP] };
#else
    return (struct ct_unwind_regs){ c->uc_mcontext.pc, c->uc_mcontext.sp, c->uc_mcontext.regs[29] };
#endif
}

/*
 * Whether another thread's mask blocks our signal: a tick would stay pending, where the program's sigwait() might meet it.
 * `briefly`, if not NULL: it is libc that blocks all signals, also those that programs cannot, while a thread is born or ends.
 * Control thread.
 */
bool ct_signal_blocked(uint32_t tid, bool *briefly);

/* The calling thread's mask lets our signal through, or blocks it.  Whether it was blocked. */
bool ct_signal_unblock(void);
bool ct_signal_block(void);
