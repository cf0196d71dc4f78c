/*
 * Shots: the stack of a thread that runs, without stopping it.
 *
 * A timer on the thread's own CPU clock, for once: it can expire only while the thread uses CPU time, and the kernel (5.10
 * and later) raises its signal on the way back to the program only.  So a thread that blocks before it expires is left
 * alone, and no call of it comes back early.
 */
#pragma once

#include <signal.h>

#include "record/sampler.h"

/* As struct ct_sampler says. */
struct ct_shot *ct_shot_begin(uint32_t tid);
bool ct_shot_done(struct ct_shot *shot);
void ct_shot_end(struct ct_shot *shot);
void ct_shot_wait(int64_t ns);

/* Whether a signal of a timer came for a shot, also for one that is over. */
bool ct_shot_is(const siginfo_t *info);
/* In the handler of our signal: true when it came for a shot, also for one that is over. */
bool ct_shot_fire(const siginfo_t *info, const void *context);

/* Nothing comes by the signal any more.  Any thread. */
void ct_shots_end(void);
/* In a forked child: there are no timers. */
void ct_shots_forget(void);
