/* What runs in front of the program's handlers of signals. */
#include "wrap/handler.h"

#include <errno.h>
#include <stdatomic.h>
#include <ucontext.h>

#include "profile/signal.h"
#include "record/emit.h"
#include "record/session_state.h"
#include "wrap/wait.h"

/*
 * Each handler gets a piece of code of its own and keeps it: which of them runs is decided by the kernel alone, so that
 * there is no moment at which a signal would find another one, and nothing that a vfork() child could change in its parent.
 * HOT: in every signal.  Nobody listens: the handler is jumped to, and finds the stack as the kernel made it.
 */
enum { FRONTS = 64, FRONT_SIZE = 16 };

static _Atomic(sighandler_t) behind[FRONTS];    /* relaxed: a front is handed out by who has put its handler there */

void ct_fronts(void) __attribute__((visibility("hidden")));
void ct_handler_run(int number, siginfo_t *info, void *context, unsigned front) __attribute__((visibility("hidden")));

/* 64 is FRONTS, 4 the logarithm of FRONT_SIZE. */
asm(".pushsection .text\n"
    "\t.hidden ct_handler_run\n"
    "\t.globl ct_fronts\n\t.hidden ct_fronts\n\t.type ct_fronts, %function\n\t.p2align 4\n"
    "ct_fronts:\n"
    "\t.cfi_startproc\n"
    "\t.set ct_front, 0\n"
    "\t.rept 64\n"
    "\t.p2align 4\n"
#if defined(__x86_64__)
    "\tmov $ct_front, %ecx\n"
    "\tjmp ct_handler_run\n"
#else
    "\tmov w3, #ct_front\n"
    "\tb ct_handler_run\n"
#endif
    "\t.set ct_front, ct_front + 1\n"
    "\t.endr\n"
    "\t.cfi_endproc\n"
    "\t.size ct_fronts, . - ct_fronts\n"
    "\t.popsection\n");

static sighandler_t front(unsigned i)
{
    return (sighandler_t)((uintptr_t)ct_fronts + i * FRONT_SIZE);
}

static bool is_front(sighandler_t handler)
{
    return (uintptr_t)handler - (uintptr_t)ct_fronts < FRONTS * FRONT_SIZE;
}

sighandler_t ct_handler_front(sighandler_t handler)
{
    if ((intptr_t)handler <= (intptr_t)SIG_HOLD || is_front(handler))
        return handler;                 /* SIG_ERR, SIG_DFL, SIG_IGN, SIG_HOLD are none */
    for (unsigned i = 0; i < FRONTS; i++) {
        sighandler_t there = NULL;

        if (atomic_compare_exchange_strong_explicit(&behind[i], &there, handler, memory_order_relaxed, memory_order_relaxed) ||
            there == handler)
            return front(i);
    }
    return handler;
}

sighandler_t ct_handler_behind(sighandler_t installed)
{
    return is_front(installed) ? atomic_load_explicit(&behind[((uintptr_t)installed - (uintptr_t)ct_fronts) / FRONT_SIZE],
                                                      memory_order_relaxed) : installed;
}

/* A signal stack may be as small as the kernel's own frame; what is told after the handler needs this much. */
enum { STACK_NEEDED = 4096 };

static bool has_room(const void *context)
{
    char here;

#if defined(__x86_64__)
    const stack_t *s = &((const ucontext_t *)context)->uc_stack;        /* there whatever the handler's flags */
    uintptr_t left = (uintptr_t)&here - (uintptr_t)s->ss_sp;

    return left >= s->ss_size || left >= STACK_NEEDED;
#else
    (void)context;
    return ct_self.room && (uintptr_t)&here - ct_self.room->stack_low < ct_self.room->stack_high - ct_self.room->stack_low;
#endif
}

static void tell(int number, sighandler_t handler, uint64_t start)
{
    uint64_t now;

    if (!ct_gate_open() || !ct_arena)
        return;
    now = ct_clock_now();
    EMIT(HANDLER, .time = now, .dur = now > start ? now - start : 0, .signal = (uint64_t)number, .routine = (uintptr_t)handler);
}

/*
 * One that leaves by siglongjmp() is told of when the thread calls something the next time.  What a handler does to the mask
 * is undone when it returns, and so is what the program believes of our signal.
 */
static __attribute__((noinline)) void timed(int number, siginfo_t *info, void *context, sighandler_t handler)
{
    bool masked = ct_self.room && ct_self.room->masked, told = ct_recording(CT_CAT_process);
    struct ct_wait here = { .record = NULL };
    uint64_t start = told ? ct_clock_now() : 0;
    int error;

    if (told)
        ct_wait_handler_begin(&here, number, (uintptr_t)handler);
    ((void (*)(int, siginfo_t *, void *))(void *)handler)(number, info, context);
    error = errno;
    if (here.record)
        ct_wait_handler_end(&here);
    else if (told)
        tell(number, handler, start);
    if (ct_self.room)
        ct_self.room->masked = masked;
    errno = error;
}

CT_JUMPS void ct_handler_run(int number, siginfo_t *info, void *context, unsigned index)
{
    sighandler_t handler = atomic_load_explicit(&behind[index], memory_order_relaxed);

    if ((ct_recording(CT_CAT_process) || ct_signal_ours()) && has_room(context))
        timed(number, info, context, handler);
    else
        ((void (*)(int, siginfo_t *, void *))(void *)handler)(number, info, context);
}
