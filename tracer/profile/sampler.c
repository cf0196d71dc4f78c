/* The samplers as the recorder sees them. */
#include "record/sampler.h"

#include "profile/cpu.h"
#include "profile/heap.h"
#include "profile/keep_out.h"
#include "profile/shot.h"
#include "profile/signal.h"
#include "record/session_state.h"
#include "record/thread.h"

/* Only the process that is recorded has timers, and its table is in a vfork() child's memory too. */
static void before_exec(void)
{
    bool masked = ct_self.room && ct_self.room->masked;

    if (!ct_signal_ours() || !(masked || ct_keep_out_now()))
        return;
    if (ct_session_is_owner())
        ct_cpu_hand_on();
    if (masked)
        ct_signal_block();
    else
        ct_signal_unblock();
}

static void after_exec(void)
{
    bool masked = ct_self.room && ct_self.room->masked;

    if (!ct_signal_ours() || !(masked || ct_keep_out_now()))
        return;
    if (masked)
        ct_signal_unblock();
    if (ct_session_is_owner())
        ct_cpu_handed_on();
    if (!masked)
        ct_signal_block();
}

static void follow(bool recording)
{
    ct_cpu_follow(recording);
    ct_heap_follow(recording);
}

static void forked_child(void)
{
    ct_cpu_forked_child();
    ct_heap_forked_child();
}

const struct ct_sampler ct_sampler = {
    .begin = ct_heap_begin,
    .follow = follow,
    .poked = ct_cpu_poked,
    .look_ns = ct_cpu_look_ns,
    .rates_changed = ct_heap_redraw,
    .thread_born = ct_cpu_thread_born,
    .thread_gone = ct_cpu_thread_gone,
    .forked_child = forked_child,
    .before_exec = before_exec,
    .after_exec = after_exec,
    .ending = ct_cpu_complain,
    .shot_begin = ct_shot_begin,
    .shot_done = ct_shot_done,
    .shot_end = ct_shot_end,
    .shot_wait = ct_shot_wait,
};
