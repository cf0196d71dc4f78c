/* The CPU sampler: what each thread is running, taken by the CPU time that it uses. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* HOT: the handler runs inside the traced program, at every tick: 100 times a second of CPU time.
 *   budget   0.5 % of the program's CPU time (tests/bench/run.sh profile.cpu).
 *   never    allocates, locks, calls libc, changes errno, or interrupts a blocked thread: the clock of one that waits
 *            stands still. */

/* As struct ct_sampler says. */
void ct_cpu_follow(bool recording);
void ct_cpu_poked(bool recording);
int64_t ct_cpu_look_ns(void);
void ct_cpu_thread_born(bool kept_out);
void ct_cpu_thread_gone(void);
void ct_cpu_forked_child(void);

/* Around an exec or a spawn of the calling thread, while it has the mask that its child is to have: it gets no ticks. */
void ct_cpu_hand_on(void);
void ct_cpu_handed_on(void);

/* Says once each what could not be sampled, and why: in the trace, on stderr where nobody records.  A thread of the program. */
void ct_cpu_complain(void);

/* Takes the signal that is lent from the program unless we have it: its number, 0 when there is none.  Control thread. */
int ct_cpu_signal(void);

/* Whether a signal is one of our timers', and no business of the program's.  Any thread, also in a handler. */
bool ct_cpu_is_tick(const siginfo_t *info);

/* The program is about to claim the signal that is ours: nothing of us comes by it any more. */
void ct_cpu_yield_signal(void);
