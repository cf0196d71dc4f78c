/* Ticks: who gets a timer, and what a tick records. */
#include "profile/cpu.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/rseq.h>

#include "format/notes.h"
#include "profile/keep_out.h"
#include "profile/shot.h"
#include "profile/signal.h"
#include "profile/timers.h"
#include "record/annotate.h"
#include "record/control_ask.h"
#include "record/emit.h"
#include "record/hidden.h"
#include "record/intern.h"
#include "record/rawfile.h"
#include "record/sandbox.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/tasks.h"
#include "record/turn.h"

static _Atomic uint32_t troubles;       /* relaxed: bits of enum ct_note that happened */
static _Atomic uint32_t complained;     /* of these, what has been said */

static void note(enum ct_note what)
{
    atomic_fetch_or_explicit(&troubles, 1u << what, memory_order_relaxed);
    if (ct_arena)
        atomic_fetch_or_explicit(&ct_arena->notes, 1u << what, memory_order_relaxed);
}

/* `ctrace record` tells it when it ends, and the trace where it happened; the program's stderr is its own. */
static void complain(const char *text)
{
    char line[160];
    size_t size = 0;

    if (ct_options.record && !ct_options.inside) {
        ct_log(0, "ctrace", text, strlen(text));
        return;
    }
    ct_raw_append(line, sizeof line, &size, "ctrace: ");
    ct_raw_append(line, sizeof line, &size, text);
    ct_raw_append(line, sizeof line, &size, "\n");
    ct_syscall(SYS_write, 2, line, size);
}

void ct_cpu_complain(void)
{
    uint32_t fresh = atomic_load_explicit(&troubles, memory_order_relaxed);

    fresh &= ~atomic_load_explicit(&complained, memory_order_relaxed);
    if (!fresh)
        return;
    fresh &= ~atomic_fetch_or_explicit(&complained, fresh, memory_order_relaxed);
    for (unsigned i = 0; i < CT_NOTES; i++)
        if (fresh >> i & 1)
            complain(ct_note_text(i));
}

/* --- a tick --- */

/*
 * A thread that only reckons has no waits and no calls that tell on which CPU it is.  Told each time, changed or not: who
 * draws CPUs takes it as seen until then.
 */
static void tell_cpu(uint64_t now)
{
    const char *here = __builtin_thread_pointer();
    uint32_t cpu = __rseq_size ? ((const volatile struct rseq *)(here + __rseq_offset))->cpu_id + 1 : 0;

    if (cpu - 1 >= UINT16_MAX || !ct_wanted(CT_CAT_thread))
        return;
    EMIT(CPU, .time = now, .cpu = cpu - 1);
    ct_self.cpu = (uint16_t)cpu;
    if (ct_self.row)
        atomic_store_explicit(&ct_self.row->cpu, cpu, memory_order_relaxed);
}

static void sample(uint64_t weight, const void *interrupted)
{
    struct ct_unwind_regs registers = ct_signal_registers(interrupted);
    uint64_t now;

    if (!ct_gate_pass() || !ct_wanted(CT_CAT_cpu) || ct_self.gone || !ct_thread_attach() || !ct_thread_is_own())
        return;
    now = ct_clock_now();
    tell_cpu(now);
    EMIT(CPU_SAMPLE, .time = now, .weight = weight, .at = ct_stack_interrupted(&registers));
}

bool ct_cpu_is_tick(const siginfo_t *info)
{
    return info->si_code == SI_TIMER && (ct_timers_period(info->si_value.sival_ptr) != 0 || ct_shot_is(info));
}

/* Never removed: a tick may be on its way when the last timer is deleted. */
static void on_tick(int number, siginfo_t *info, void *context)
{
    uint64_t period = info->si_code == SI_TIMER ? ct_timers_period(info->si_value.sival_ptr) : 0;
    int error = errno;

    if (period) {
        sample(period * (1 + (info->si_overrun > 0 ? (uint64_t)info->si_overrun : 0)), context);
    } else if (info->si_code != SI_TIMER || !ct_shot_fire(info, context)) {
        ct_timers_drop((uint32_t)ct_syscall(SYS_gettid));      /* its signal may be blocked from here on */
        ct_signal_pass_on(number, info, context);
    }
    errno = error;
}

/* --- who gets a timer --- */

static _Atomic uint32_t handing_on;     /* relaxed: threads whose mask is for a moment what they hand on, and not their own */

static void note_failure(int error)
{
    if (error == -EAGAIN || error == -ENOMEM)
        note(CT_NOTE_NO_TIMERS);                /* anything else: the thread is gone by now */
}

/*
 * One that is being born or ends has all signals blocked for a moment, which is long where CPUs are few, and one whose handler
 * runs on a signal stack may block ours for our sake.  It is told when it was seen so twice, or, if it may be one of these, many times.
 */
static bool blocks_for_good(uint32_t tid, bool briefly)
{
    static uint32_t before;
    static unsigned again;

    again = tid == before ? again + 1 : 0;
    before = tid;
    return again >= (briefly || ct_keep_out_any() ? 20 : 1);
}

/*
 * Control thread: a thread that makes another one, say, could not be given a timer, and would be without until the next turn.
 * It is looked at some times more, each time after longer.
 */
enum { LOOKS = 4, LOOK_NS = 2000000 };
static unsigned looks = LOOKS;          /* since a turn */
static bool missed;

int64_t ct_cpu_look_ns(void)
{
    return missed && looks < LOOKS && ct_timers_on() ? (int64_t)LOOK_NS << 2 * looks : -1;
}

static void arm_thread(uint32_t tid)
{
    bool briefly, handed = atomic_load_explicit(&handing_on, memory_order_relaxed) != 0;

    if (ct_hidden(tid))
        ct_timers_drop(tid);
    else if (ct_timers_has(tid))
        return;
    else if (!ct_signal_blocked(tid, &briefly))
        note_failure(ct_timers_arm(tid));
    else if (looks == 0 && !handed && blocks_for_good(tid, briefly))
        note(CT_NOTE_BLOCKED);
    else if (briefly)
        missed = true;                  /* others block it for as long as they like, and to look at many costs */
}

static void arm_all(void)
{
    missed = false;
    if (!ct_tasks_each(arm_thread))
        arm_thread((uint32_t)ct_syscall(SYS_getpid));          /* there is no /proc */
}

static uint32_t rate_now;               /* control thread: of the timers that run */

int ct_cpu_signal(void)
{
    ct_signal_check();
    return ct_signal_take(ct_options.cpu_signal, on_tick);
}

static void start(void)
{
    int number = ct_cpu_signal();

    if (!number) {
        note(CT_NOTE_NO_SIGNAL);
        return;
    }
    rate_now = ct_options.cpu_rate;
    if (ct_timers_begin(number, rate_now) < 0)
        note(CT_NOTE_NO_MEMORY);
    atomic_thread_fence(memory_order_seq_cst);
    if (ct_signal_ours() != number)
        ct_timers_end();                /* the program has claimed it meanwhile, and found none to end; it has poked us */
}

void ct_cpu_follow(bool recording)
{
    bool wanted = recording && ct_wanted(CT_CAT_cpu) && ct_options.cpu_rate && ct_sandbox_lets_sample();

    ct_signal_check();
    if (ct_timers_on() && (!wanted || !ct_signal_ours() || rate_now != ct_options.cpu_rate))
        ct_timers_end();
    if (!wanted)
        return;
    if (!ct_timers_on())
        start();
    if (!ct_timers_on())
        return;
    ct_timers_sweep();
    looks = 0;
    arm_all();
}

/*
 * A new thread has its creator's mask.  If that blocks the signal and not for our sake, it was blocked before we came: from
 * here on the mask that the program believes in is kept by wrap/signal.c.
 */
void ct_cpu_thread_born(bool kept_out)
{
    uint32_t tid;

    ct_cpu_complain();
    if (!ct_timers_on())
        return;
    if (ct_self.room && ct_signal_unblock() && !kept_out)
        ct_self.room->masked = true;
    tid = (uint32_t)ct_syscall(SYS_gettid);
    ct_timers_drop_dead(tid);
    note_failure(ct_timers_arm(tid));
}

void ct_cpu_thread_gone(void)
{
    if (ct_timers_on())
        ct_timers_drop((uint32_t)ct_syscall(SYS_gettid));
}

void ct_cpu_hand_on(void)
{
    atomic_fetch_add_explicit(&handing_on, 1, memory_order_relaxed);
    ct_cpu_thread_gone();
}

void ct_cpu_handed_on(void)
{
    ct_cpu_thread_born(true);
    if (atomic_load_explicit(&handing_on, memory_order_relaxed))       /* a forked child begins anew */
        atomic_fetch_sub_explicit(&handing_on, 1, memory_order_relaxed);
}

void ct_cpu_forked_child(void)
{
    atomic_store_explicit(&handing_on, 0, memory_order_relaxed);
    ct_timers_forget();
    ct_shots_forget();
}

/* Whether another signal has to be found, and that before the next turn. */
static _Atomic bool yielded;

void ct_cpu_yield_signal(void)
{
    ct_timers_end();
    ct_shots_end();
    if (ct_self.room && ct_self.room->masked)
        ct_signal_block();
    ct_signal_yield();
    atomic_thread_fence(memory_order_seq_cst);
    ct_timers_end();                    /* once more: who began some meanwhile may not have seen that */
    ct_shots_end();
    atomic_store_explicit(&yielded, true, memory_order_release);
    ct_control_poke();
}

void ct_cpu_poked(bool recording)
{
    if (atomic_exchange_explicit(&yielded, false, memory_order_acquire)) {
        ct_cpu_follow(recording);
    } else if (ct_cpu_look_ns() >= 0) {
        looks++;
        arm_all();
    }
}
