/* A slot for each shot, which outlives it: a signal may be on its way when its timer is deleted. */
#include "profile/shot.h"

#include <linux/futex.h>
#include <time.h>

#include "profile/cpu.h"
#include "profile/signal.h"
#include "profile/timers.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/thread.h"

/*
 * EDGES
 *   edge   release side            acquire side             what the acquirer may then rely on
 *   AIM    begin: state = ARMED    handler: state = WRITING  `tid` is who was meant; what was read of the slot before is over
 *   SHOT   handler: state = DONE   control: done             depth, cut, pcs
 */
enum state { FREE, ARMED, WRITING, DONE };

static struct ct_shot shots[CT_SHOTS];
static _Atomic uint32_t fired;          /* futex: how many were done; relaxed, it only wakes */

static bool change(struct ct_shot *shot, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&shot->state, &from, to, memory_order_acq_rel, memory_order_relaxed);
}

/* A thread that lost its CPU while it wrote keeps its slot until it is done. */
static struct ct_shot *take_slot(void)
{
    for (unsigned i = 0; i < CT_SHOTS; i++)
        if (!shots[i].taken && atomic_load_explicit(&shots[i].state, memory_order_acquire) != WRITING)     /* edge SHOT */
            return &shots[i];
    return NULL;
}

/* `timer` is the kernel's number + 1. */
static void drop_timer(struct ct_shot *shot)
{
    int timer = atomic_exchange_explicit(&shot->timer, 0, memory_order_relaxed);

    if (timer > 0)
        ct_syscall(SYS_timer_delete, timer - 1);
}

struct ct_shot *ct_shot_begin(uint32_t tid)
{
    int number = ct_cpu_signal(), timer;
    struct ct_shot *shot;

    if (!number || !ct_sandbox_lets_sample() || ct_signal_blocked(tid, NULL))
        return NULL;
    shot = take_slot();
    if (!shot)
        return NULL;
    atomic_store_explicit(&shot->tid, tid, memory_order_relaxed);
    shot->depth = 0;
    atomic_store_explicit(&shot->state, ARMED, memory_order_release);                   /* edge AIM */
    timer = ct_timers_make(tid, number, shot, 1, 0);
    if (timer < 0) {
        change(shot, ARMED, FREE);
        return NULL;
    }
    shot->taken = true;
    atomic_store_explicit(&shot->timer, timer + 1, memory_order_relaxed);
    if (ct_signal_ours() != number)
        drop_timer(shot);               /* the program has claimed it, and may not have seen this one */
    return shot;
}

bool ct_shot_done(struct ct_shot *shot)
{
    return atomic_load_explicit(&shot->state, memory_order_acquire) == DONE;            /* edge SHOT */
}

void ct_shot_end(struct ct_shot *shot)
{
    drop_timer(shot);
    if (!change(shot, ARMED, FREE))
        change(shot, DONE, FREE);
    shot->taken = false;
}

void ct_shot_wait(int64_t ns)
{
    const struct timespec wait = { ns / 1000000000, ns % 1000000000 };

    ct_syscall(SYS_futex, &fired, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, atomic_load_explicit(&fired, memory_order_relaxed), &wait, 0, 0);
}

static void capture(struct ct_shot *shot, const void *context)
{
    const struct ct_unwind_regs regs = ct_signal_registers(context);
    const struct ct_thread_room *room;
    unsigned flags = CT_UNWIND_LOST;

    shot->pcs[0] = regs.pc + 1;
    shot->depth = 1;
    if (!ct_self.gone && ct_thread_attach() && ct_thread_is_own() && ct_self.room) {
        room = ct_self.room;
        shot->depth = ct_unwind_apart(room->rules, &regs, room->stack_low, room->stack_high, shot->pcs, CT_DUMP_DEPTH, &flags);
    }
    shot->cut = flags & CT_UNWIND_TRUNCATED;
}

static uintptr_t place_of(const siginfo_t *info)
{
    return (uintptr_t)info->si_value.sival_ptr - (uintptr_t)shots;
}

bool ct_shot_is(const siginfo_t *info)
{
    return place_of(info) < sizeof shots;
}

bool ct_shot_fire(const siginfo_t *info, const void *context)
{
    uintptr_t at = place_of(info);
    struct ct_shot *shot = &shots[at / sizeof *shots];

    if (at >= sizeof shots)
        return false;
    if (atomic_load_explicit(&shot->tid, memory_order_relaxed) != (uint32_t)ct_syscall(SYS_gettid) ||
        !change(shot, ARMED, WRITING))                                                  /* edge AIM */
        return true;
    capture(shot, context);
    atomic_store_explicit(&shot->state, DONE, memory_order_release);                    /* edge SHOT */
    atomic_fetch_add_explicit(&fired, 1, memory_order_relaxed);
    ct_syscall(SYS_futex, &fired, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
    return true;
}

void ct_shots_end(void)
{
    for (unsigned i = 0; i < CT_SHOTS; i++)
        drop_timer(&shots[i]);
}

void ct_shots_forget(void)
{
    for (unsigned i = 0; i < CT_SHOTS; i++) {
        atomic_store_explicit(&shots[i].timer, 0, memory_order_relaxed);
        atomic_store_explicit(&shots[i].state, FREE, memory_order_relaxed);
        shots[i].taken = false;
    }
}
