/* Obeying filters of system calls that the program installs in itself. */
#include "record/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/control.h"
#include "record/control.h"
#include "record/control_thread.h"
#include "record/emit.h"
#include "record/hot.h"
#include "record/intern.h"
#include "record/rawfile.h"
#include "record/sampler.h"
#include "record/session.h"
#include "record/syscall.h"

enum { WORDS = 8 };

CT_HOT_DATA _Atomic bool ct_sandbox_on;
static _Atomic uint64_t forbidden[WORDS];
static _Atomic bool sampling_ends, recording_ends;      /* before the calls are forbidden that it takes to end them */

static const uint16_t strict_allows[] = { SYS_read, SYS_write, SYS_exit, SYS_rt_sigreturn };

/* What the control thread calls, and who makes it. */
static const uint16_t control_calls[] = {
    SYS_clone, SYS_clock_getres, SYS_clock_gettime, SYS_close, SYS_close_range, SYS_connect, SYS_exit, SYS_fallocate,
    SYS_ftruncate, SYS_futex, SYS_getdents64, SYS_getegid, SYS_getgroups, SYS_getpid, SYS_getppid, SYS_getrandom,
    SYS_getresgid, SYS_getresuid, SYS_gettid, SYS_getuid, SYS_madvise, SYS_memfd_create, SYS_mmap, SYS_munmap, SYS_openat,
    SYS_pidfd_getfd, SYS_pidfd_open, SYS_ppoll, SYS_pread64, SYS_prlimit64, SYS_process_vm_readv, SYS_pwrite64, SYS_read,
    SYS_readlinkat, SYS_recvfrom, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigqueueinfo, SYS_sched_yield, SYS_sendmsg,
    SYS_signalfd4, SYS_socket, SYS_statfs, SYS_tgkill, SYS_timer_create, SYS_timer_delete, SYS_timer_gettime,
    SYS_timer_settime, SYS_uname, SYS_unlinkat, SYS_unshare, SYS_write,
};

/* What threads of the program call for us beyond these. */
static const uint16_t other_calls[] = {
    SYS_brk, SYS_fstat, SYS_getpeername, SYS_getsockname, SYS_getsockopt, SYS_mprotect, SYS_prctl, SYS_rt_sigreturn,
    SYS_rt_tgsigqueueinfo, SYS_sigaltstack,
};

static bool is_in(const _Atomic uint64_t *set, long no)
{
    return (unsigned long)no >= WORDS * 64 ||
           (atomic_load_explicit(&set[no / 64], memory_order_relaxed) >> no % 64 & 1);
}

bool ct_sandbox_forbids(long no)
{
    return is_in(forbidden, no) && !ct_raw_thread_is_self();
}

static bool any_forbidden(const uint16_t *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_in(forbidden, calls[i]))
            return true;
    return false;
}

bool ct_sandbox_lets_control(void)
{
    return !atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed) ||
           !any_forbidden(control_calls, sizeof control_calls / sizeof *control_calls);
}

bool ct_sandbox_lets_sample(void)
{
    return !atomic_load_explicit(&sampling_ends, memory_order_relaxed);
}

bool ct_sandbox_lets_record(void)
{
    return !atomic_load_explicit(&recording_ends, memory_order_relaxed);
}

/* --- what is being installed --- */

static void judge_strict(uint64_t *ret)
{
    memset(ret, 0xff, WORDS * sizeof *ret);
    for (size_t i = 0; i < sizeof strict_allows / sizeof *strict_allows; i++)
        ret[strict_allows[i] / 64] &= ~((uint64_t)1 << strict_allows[i] % 64);
}

/* Whether all of it can be read; the kernel will read it the next moment. */
static bool is_readable(const struct sock_fprog *filter)
{
    struct sock_fprog p;
    uint64_t piece[64];

    if (ct_raw_peek((uintptr_t)filter, &p, sizeof p) < 0)
        return false;
    for (size_t at = 0, size = p.len * sizeof *p.filter; at < size; at += sizeof piece)
        if (ct_raw_peek((uintptr_t)p.filter + at, piece, size - at < sizeof piece ? size - at : sizeof piece) < 0)
            return false;
    return true;
}

static void judge(uint64_t *ret, bool strict, const struct sock_fprog *filter)
{
    memset(ret, 0, WORDS * sizeof *ret);
    if (strict || (filter && (ct_sandbox_forbids(SYS_process_vm_readv) || ct_sandbox_forbids(SYS_getpid))))
        judge_strict(ret);              /* of one that cannot be looked at the worst is believed */
    else if (filter && is_readable(filter))
        ct_sandbox_judge(filter->filter, filter->len, ret);
}

static bool is_ours(const uint64_t *set, const uint16_t *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (set[calls[i] / 64] >> calls[i] % 64 & 1)
            return true;
    return false;
}

/* --- programs to come --- */

/*
 * What is executed behind the filter finds the same environment, in which our variable now says to keep out: nothing in
 * there may be asked.  One byte, in place: others may read the environment meanwhile.
 */
static void mark_environment(bool filtered)
{
    static char first;
    static const char name[] = CT_SESSION_ENV;
    char *text = getenv(name);

    if (!text)
        return;
    if (filtered && *text != CT_SESSION_FILTERED) {
        first = *text;
        __atomic_store_n(text, CT_SESSION_FILTERED, __ATOMIC_RELAXED);
    } else if (!filtered && *text == CT_SESSION_FILTERED && first) {
        __atomic_store_n(text, first, __ATOMIC_RELAXED);
    }
}

/* --- before and after --- */

/* A handler of ours that runs in another thread meanwhile has this long to return. */
static void let_handlers_return(void)
{
    static const struct timespec a_while = { 0, 20000000 };

    ct_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &a_while, 0);
}

static void tell(const char *text)
{
    size_t size = strlen(text);

    if (ct_gate_open())
        ct_emit_LOG((struct ct_ev_LOG){ .category = ct_string("ctrace"), .text = { text, size } }, size);
}

static void fall_silent(void)
{
    tell("the thread may not read the time-stamp counter from here on: nothing more is recorded of this process");
    atomic_store_explicit(&recording_ends, true, memory_order_relaxed);
    if (ct_control_ask(CT_ASK_SILENCE, -1, NULL) < 0)
        ct_gate_set(0);
}

static void withdraw(const uint64_t *added, bool all)
{
    static const uint16_t for_samples[] = { SYS_rt_sigreturn, SYS_gettid, SYS_getpid };

    if (ct_gate_open())
        ct_thread_attach();
    if (is_ours(added, for_samples, sizeof for_samples / sizeof *for_samples)) {
        atomic_store_explicit(&sampling_ends, true, memory_order_relaxed);
        if (ct_control_ask(CT_ASK_SAMPLERS, -1, NULL) < 0)
            CT_SAMPLER(follow, false);
        if (all)
            let_handlers_return();
    }
    if (all && is_ours(added, control_calls, sizeof control_calls / sizeof *control_calls))
        ct_control_ask(CT_ASK_END, -1, NULL);
    else
        ct_control_ask(CT_ASK_LOOK, -1, NULL);
    mark_environment(true);
}

void ct_sandbox_enter(struct ct_sandbox_step *ret, bool strict, const struct sock_fprog *filter, bool all)
{
    int error = errno;

    *ret = (struct ct_sandbox_step){ .harmful = false };
    ct_gate_open();                     /* a new process that has not looked at itself yet does so before */
    if (ct_arena && !ct_sandbox_forbids(SYS_getpid) && !ct_session_is_owner())
        return;                         /* a vfork() child: this memory is its parent's */
    judge(ret->added, strict, filter);
    for (unsigned i = 0; i < WORDS; i++)
        ret->added[i] &= ~atomic_load_explicit(&forbidden[i], memory_order_relaxed);
    ret->harmful = is_ours(ret->added, control_calls, sizeof control_calls / sizeof *control_calls) ||
                   is_ours(ret->added, other_calls, sizeof other_calls / sizeof *other_calls);
    if (!ret->harmful)
        return;
    atomic_store_explicit(&ct_sandbox_on, true, memory_order_relaxed);
    ret->silent = strict && ct_gate_open();
    if (strict)
        fall_silent();
    withdraw(ret->added, all);
    for (unsigned i = 0; i < WORDS; i++)
        atomic_fetch_or_explicit(&forbidden[i], ret->added[i], memory_order_relaxed);
    errno = error;
}

static void go_on(const struct ct_sandbox_step *step)
{
    uint64_t left = 0;

    for (unsigned i = 0; i < WORDS; i++)
        left |= atomic_fetch_and_explicit(&forbidden[i], ~step->added[i], memory_order_relaxed) & ~step->added[i];
    if (left)
        return;
    atomic_store_explicit(&ct_sandbox_on, false, memory_order_relaxed);
    atomic_store_explicit(&sampling_ends, false, memory_order_relaxed);
    atomic_store_explicit(&recording_ends, false, memory_order_relaxed);
    mark_environment(false);
    if (ct_session_is_owner() && !ct_control_alive())
        ct_control_start();
    if (step->silent)
        ct_control_ask(CT_ASK_START, -1, NULL);
    ct_control_ask(CT_ASK_SAMPLERS, -1, NULL);
}

void ct_sandbox_entered(const struct ct_sandbox_step *step, bool installed)
{
    int error = errno;

    if (!step->harmful)
        return;
    if (installed)
        tell("system calls are filtered from here on: the recorder makes none that might kill, and records less");
    else
        go_on(step);
    errno = error;
}
