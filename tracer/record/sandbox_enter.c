/* Obeying filters of system calls that the program installs in itself. */
#include "record/sandbox_enter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/control.h"
#include "record/control.h"
#include "record/control_ask.h"
#include "record/emit.h"
#include "record/intern.h"
#include "record/rawfile.h"
#include "record/sampler.h"
#include "record/sandbox_judge.h"
#include "record/session_state.h"
#include "record/syscall.h"

static const uint16_t strict_allows[] = { SYS_read, SYS_write, SYS_exit, SYS_rt_sigreturn };

/* --- what is being installed --- */

static void judge_strict(uint64_t *ret)
{
    memset(ret, 0xff, CT_SANDBOX_WORDS * sizeof *ret);
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
    memset(ret, 0, CT_SANDBOX_WORDS * sizeof *ret);
    if (strict || (filter && (ct_sandbox_forbids(SYS_process_vm_readv) || ct_sandbox_forbids(SYS_gettid))))
        judge_strict(ret);              /* of one that cannot be looked at the worst is believed */
    else if (filter && is_readable(filter))
        ct_sandbox_judge(filter->filter, filter->len, ret);
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
    ct_sandbox_end_recording();
    if (ct_control_ask(CT_ASK_SILENCE, -1, NULL) < 0)
        ct_gate_set(0);
}

static bool has(const uint64_t *set, long no)
{
    return set[no / 64] >> no % 64 & 1;
}

static bool ends_samples(const uint64_t *added)
{
    return has(added, SYS_rt_sigreturn) || has(added, SYS_gettid) || has(added, SYS_getpid);
}

static void withdraw(const uint64_t *added, bool all)
{
    if (ct_gate_open())
        ct_thread_attach();
    if (has(added, SYS_mprotect) && ct_slots_keep)
        ct_slots_keep();
    if (ends_samples(added)) {
        ct_sandbox_end_sampling();
        if (ct_control_ask(CT_ASK_SAMPLERS, -1, NULL) < 0)
            CT_SAMPLER(follow, false);
        if (all)
            let_handlers_return();
    }
    if (all && ct_sandbox_hits_control(added))
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
    ct_sandbox_new_ones(ret->added);
    ret->harmful = ct_sandbox_is_harmful(ret->added);
    if (!ret->harmful)
        return;
    ct_sandbox_begin();
    ret->silent = strict && ct_gate_open();
    if (strict)
        fall_silent();
    withdraw(ret->added, all);
    ct_sandbox_forbid(ret->added);
    errno = error;
}

static void go_on(const struct ct_sandbox_step *step)
{
    if (!ct_sandbox_permit(step->added))
        return;
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
