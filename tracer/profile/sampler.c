/* The samplers as the recorder sees them. */
#include "record/sampler.h"

#include "profile/cpu.h"
#include "profile/signal.h"
#include "record/thread.h"

static void before_exec(void)
{
    if (ct_self.room && ct_self.room->masked) {
        ct_cpu_thread_gone();
        ct_signal_block();
    }
}

static void after_exec(void)
{
    if (ct_self.room && ct_self.room->masked) {
        ct_signal_unblock();
        ct_cpu_thread_born();
    }
}

const struct ct_sampler ct_sampler = {
    .follow = ct_cpu_follow,
    .thread_born = ct_cpu_thread_born,
    .thread_gone = ct_cpu_thread_gone,
    .forked_child = ct_cpu_forked_child,
    .before_exec = before_exec,
    .after_exec = after_exec,
    .ending = ct_cpu_complain,
};
