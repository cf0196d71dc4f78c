/*
 * Handlers and masks.  The signal of CPU samples (profile/signal.h) is hidden here: to the program it has its default
 * action, and is blocked when the program has blocked it, though it gets through to us.
 */
#include <signal.h>
#include <string.h>

#include "profile/cpu.h"
#include "profile/keep_out.h"
#include "profile/signal.h"
#include "record/hidden.h"
#include "record/tap.h"
#include "record/thread.h"
#include "wrap/handler.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

static bool is_ours(int number)
{
    return __builtin_expect(number != 0 && number == ct_signal_ours(), 0);
}

/* One for traps may be a debugger's, at every instruction. */
static sighandler_t in_front_of(int number, sighandler_t handler)
{
    return number == SIGTRAP ? handler : ct_handler_front(handler);
}

/* The program's handlers have code of ours in front, which it never sees. */
static int install(int (*real)(int, const struct sigaction *, struct sigaction *), int number, const struct sigaction *act,
                   struct sigaction *old)
{
    struct sigaction ours;
    bool keeps_out;
    int r;

    if (act) {
        ours = *act;
        ours.sa_handler = in_front_of(number, act->sa_handler);
    }
    keeps_out = ct_keep_out_of(number, act ? &ours : NULL);
    r = real(number, act ? &ours : NULL, old);
    if (r == 0 && old)
        old->sa_handler = ct_handler_behind(old->sa_handler);
    if (r == 0 && old && keeps_out)
        sigdelset(&old->sa_mask, ct_signal_ours());
    return r;
}

#define SIGACTION(name) \
    CT_WRAPPER int name(int number, const struct sigaction *restrict act, struct sigaction *restrict old) \
    { \
        int r = 0; \
        \
        /* A web server's threads would have all of the program ignore it, each of them once. */ \
        if (number == SIGPIPE && act && act->sa_handler == SIG_IGN && ct_hidden_self()) \
            return 0; \
        if (!is_ours(number)) \
            return install(ct_real.name, number, act, old); \
        if (act && act->sa_handler != SIG_DFL) { \
            ct_cpu_yield_signal(); \
            r = install(ct_real.name, number, act, NULL); \
        } \
        if (r == 0 && old) \
            memset(old, 0, sizeof *old);        /* SIG_DFL, as it was before us */ \
        return r; \
    }

int __sigaction(int number, const struct sigaction *restrict act, struct sigaction *restrict old);  /* exported, not declared */

SIGACTION(sigaction)
SIGACTION(__sigaction)

/* Of the older forms, which differ in what their handlers find; each returns what was there before. */
#define SIMPLE(name) \
    CT_WRAPPER sighandler_t name(int number, sighandler_t handler) \
    { \
        if (!is_ours(number)) { \
            ct_keep_out_of(number, &(struct sigaction){ .sa_flags = 0 }); \
            return ct_handler_behind(ct_real.name(number, in_front_of(number, handler))); \
        } \
        if (handler != SIG_DFL) { \
            ct_cpu_yield_signal(); \
            ct_real.name(number, in_front_of(number, handler)); \
        } \
        return SIG_DFL; \
    }

sighandler_t bsd_signal(int number, sighandler_t handler);        /* no longer declared, still exported */

SIMPLE(signal)
SIMPLE(sysv_signal)
SIMPLE(__sysv_signal)
SIMPLE(bsd_signal)
SIMPLE(ssignal)
SIMPLE(sigset)

/* Does to the real mask what it can, and remembers what the program believes. */
static int change_mask(int (*real)(int, const sigset_t *, sigset_t *), int how, const sigset_t *set, sigset_t *old)
{
    int number = ct_signal_ours(), r;
    bool was, asked = set && sigismember(set, number) == 1, keeps_out;
    sigset_t ours;

    if (!ct_thread_attach() || !ct_self.room)
        return real(how, set, old);
    was = ct_self.room->masked;
    keeps_out = ct_keep_out_now();
    if (set) {
        ours = *set;
        if (how != SIG_UNBLOCK)         /* one that came meanwhile is kept by the kernel: ct_signal_pass_on() */
            sigdelset(&ours, number);
        if (keeps_out ? how == SIG_SETMASK : how == SIG_UNBLOCK && ct_keep_out_any())
            sigaddset(&ours, number);   /* still on the signal stack; or its handler was left by longjmp() */
        else if (keeps_out)
            sigdelset(&ours, number);
        if (asked || how == SIG_SETMASK)
            ct_self.room->masked = asked && how != SIG_UNBLOCK;     /* before: what was kept comes during the call */
    }
    r = real(how, set ? &ours : NULL, old);
    if (r != 0)
        ct_self.room->masked = was;
    else if (old && was)
        sigaddset(old, number);
    else if (old && keeps_out)
        sigdelset(old, number);
    return r;
}

/* The mask is nobody's but the program's. */
static bool is_as_it_is(const void *caller)
{
    return !ct_signal_ours() || ct_tap_owns(caller);
}

CT_WRAPPER int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    if (is_as_it_is(__builtin_return_address(0)))
        return ct_real.pthread_sigmask(how, set, old);
    return change_mask(ct_real.pthread_sigmask, how, set, old);
}

CT_WRAPPER int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    if (is_as_it_is(__builtin_return_address(0)))
        return ct_real.sigprocmask(how, set, old);
    return change_mask(ct_real.sigprocmask, how, set, old);
}

/* The oldest forms, of masks that are one word, whose last bit would be libc's own signal: libc changes the mask inside itself. */
static int change_word(int how, int mask)
{
    sigset_t set, old;
    int word = 0;

    sigemptyset(&set);
    for (int number = 1; number < 32; number++)
        if ((unsigned)mask >> (number - 1) & 1)
            sigaddset(&set, number);
    if (change_mask(ct_real.sigprocmask, how, &set, &old) != 0)
        return -1;
    for (int number = 1; number < 32; number++)
        if (sigismember(&old, number) == 1)
            word |= (int)(1u << (number - 1));
    return word;
}

CT_WRAPPER int sigblock(int mask)
{
    return is_as_it_is(__builtin_return_address(0)) ? ct_real.sigblock(mask) : change_word(SIG_BLOCK, mask);
}

CT_WRAPPER int sigsetmask(int mask)
{
    return is_as_it_is(__builtin_return_address(0)) ? ct_real.sigsetmask(mask) : change_word(SIG_SETMASK, mask);
}

CT_WRAPPER int siggetmask(void)
{
    return is_as_it_is(__builtin_return_address(0)) ? ct_real.siggetmask() : change_word(SIG_BLOCK, 0);
}

static int change_one(int how, int number)
{
    sigset_t set;

    sigemptyset(&set);
    return sigaddset(&set, number) != 0 ? -1 : change_mask(ct_real.sigprocmask, how, &set, NULL);
}

CT_WRAPPER int sighold(int number)
{
    return is_as_it_is(__builtin_return_address(0)) ? ct_real.sighold(number) : change_one(SIG_BLOCK, number);
}

CT_WRAPPER int sigrelse(int number)
{
    return is_as_it_is(__builtin_return_address(0)) ? ct_real.sigrelse(number) : change_one(SIG_UNBLOCK, number);
}
