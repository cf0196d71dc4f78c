/* Which signal, its handler, and what it would have been without us. */
#include "profile/signal.h"

#include <stdatomic.h>
#include <stddef.h>
#include <ucontext.h>

#include "profile/action.h"
#include "profile/keep_out.h"
#include "record/rawfile.h"
#include "record/syscall.h"
#include "record/tasks.h"
#include "record/thread.h"

enum {
    WITH_RESTORER = 0x04000000,
    LIBCS_OWN = 32,                 /* by which threads are cancelled: no mask that a program sets has it */
};

_Atomic int ct_signal_lent;
static _Atomic uint64_t theirs;         /* signals that the program has claimed, by bit */
static void (*our_handler)(int, siginfo_t *, void *);

#if defined(__x86_64__)
/* The very bytes that unwinders and debuggers know a signal's frame by. */
void ct_signal_return(void) __attribute__((visibility("hidden")));
asm(".pushsection .text\n"
    "\t.hidden ct_signal_return\n"
    "\t.type ct_signal_return, @function\n"
    "\tnop\n"
    "ct_signal_return:\n"
    "\tmov $15, %rax\n"
    "\tsyscall\n"
    "\t.size ct_signal_return, . - ct_signal_return\n"
    "\t.popsection\n");
#endif

static void *current_handler(int number)
{
    struct ct_action now = { 0 };

    return ct_action_change(number, NULL, &now) == 0 ? now.handler : (void *)SIG_ERR;
}

static bool install(int number)
{
    struct ct_action mine = { .handler = (void *)our_handler, .flags = SA_SIGINFO | SA_RESTART, .mask = ~(uint64_t)0 }, old;

#if defined(__x86_64__)
    mine.flags |= WITH_RESTORER;
    mine.restorer = (void *)ct_signal_return;
#endif
    atomic_store_explicit(&ct_signal_lent, number, memory_order_relaxed);     /* before: who changes it from here on tells us */
    if (ct_action_change(number, &mine, &old) == 0) {
        if (old.handler == (void *)SIG_DFL || old.handler == mine.handler) {
            ct_keep_out_begin(number);
            return true;
        }
        ct_action_change(number, &old, NULL);  /* the program was faster */
    }
    atomic_store_explicit(&ct_signal_lent, 0, memory_order_relaxed);
    return false;
}

int ct_signal_take(unsigned wanted, void (*handler)(int, siginfo_t *, void *))
{
    static const uint8_t usual[] = { SIGPROF, SIGVTALRM, SIGSTKFLT, SIGPWR };

    our_handler = handler;
    for (unsigned i = 0; i < (wanted ? 1 : sizeof usual) && !ct_signal_ours(); i++) {
        int number = wanted ? (int)wanted : usual[i];
        void *now;

        if (atomic_load_explicit(&theirs, memory_order_relaxed) >> number & 1)
            continue;
        now = current_handler(number);
        if (now == (void *)SIG_DFL || now == (void *)handler)
            install(number);
    }
    return ct_signal_ours();
}

void ct_signal_yield(void)
{
    int number = atomic_exchange_explicit(&ct_signal_lent, 0, memory_order_relaxed);

    if (number) {
        atomic_fetch_or_explicit(&theirs, (uint64_t)1 << number, memory_order_relaxed);
        ct_keep_out_end(number);
    }
}

void ct_signal_check(void)
{
    int number = ct_signal_ours();

    if (number && current_handler(number) != (void *)our_handler)
        ct_signal_yield();
}

/* Sent to all of the program: whichever thread waits for it, or lets it through, is to have it. */
static bool is_for_all(const siginfo_t *info)
{
    return info->si_code == SI_USER || info->si_code == SI_KERNEL || info->si_code == SI_QUEUE;
}

/* A thread other than the first may not repeat what kill() and the kernel said of themselves: then it is we who send it. */
static bool give_to_all(int number, const siginfo_t *info)
{
    long pid = ct_syscall(SYS_getpid);

    return ct_syscall(SYS_rt_sigqueueinfo, pid, number, info) == 0 || ct_syscall(SYS_kill, pid, number) == 0;
}

/*
 * One that the program blocks goes from thread to thread until all of them really block it, and is then found by whoever
 * waits for it, as it would have been at first.
 */
void ct_signal_pass_on(int number, siginfo_t *info, void *context)
{
    static const struct ct_action by_default = { .handler = (void *)SIG_DFL };
    static _Atomic bool passed;         /* relaxed: threads of which we know no mask are to keep one that others have passed on */
    bool masked = ct_self.room ? ct_self.room->masked : atomic_load_explicit(&passed, memory_order_relaxed);
    ucontext_t *interrupted = context;

    if (masked) {
        sigaddset(&interrupted->uc_sigmask, number);    /* it stays pending, as the program believes */
        atomic_store_explicit(&passed, true, memory_order_relaxed);
    } else {
        ct_action_change(number, &by_default, NULL);    /* it ends the program when we return */
    }
    if (!is_for_all(info) || !give_to_all(number, info))
        ct_syscall(SYS_rt_tgsigqueueinfo, ct_syscall(SYS_getpid), ct_syscall(SYS_gettid), number, info);
}

bool ct_signal_blocked(uint32_t tid, bool *briefly)
{
    static const char key[] = "\nSigBlk:";
    char text[4096];
    long size = ct_tasks_read(tid, "status", text, sizeof text);
    uint64_t mask;

    for (const char *at = text; size > 0 && *at; at++) {
        size_t i = 0;

        while (key[i] && at[i] == key[i])
            i++;
        if (key[i])
            continue;
        at += i;
        at += *at == '\t';
        mask = ct_raw_number(&at, 16);
        if (briefly)
            *briefly = mask >> (LIBCS_OWN - 1) & 1;
        return mask >> (ct_signal_ours() - 1) & 1;
    }
    return false;
}

static bool change_mask(int how)
{
    int number = ct_signal_ours();
    uint64_t set = number ? (uint64_t)1 << (number - 1) : 0, old = 0;

    if (!set)
        return false;
    ct_syscall(SYS_rt_sigprocmask, how, &set, &old, sizeof set);
    return (old & set) != 0;
}

bool ct_signal_unblock(void)
{
    return change_mask(SIG_UNBLOCK);
}

bool ct_signal_block(void)
{
    return change_mask(SIG_BLOCK);
}
