/*
 * A timer for each thread, on the thread's own CPU clock.
 *
 * A timer belongs to the process and outlives its thread, whose number may be that of another by then: whoever meets one
 * that is dead deletes it.  Timers are not inherited by fork and end at exec.
 *
 * EDGES
 *   edge   release side        acquire side        what the acquirer may then rely on
 *   ON     ct_timers_begin     ct_timers_arm       signal and rate are those of this time
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on timers may be made: `signal` comes `rate` times a second of a thread's CPU time.  0 or a negative errno. */
int ct_timers_begin(int signal, uint32_t rate);
/* Deletes all; one that is being made is deleted by its maker. */
void ct_timers_end(void);
bool ct_timers_on(void);
/* The ns that a tick with this si_value stands for, whatever the rate is by now; 0: it is none of ours. */
uint64_t ct_timers_period(const void *value);

/*
 * Makes the timer of thread `tid` unless it has one.  The first expiry is at random within a period, so that threads that
 * live for less than one are met as often as they should be.  0 or a negative errno, -ECANCELED when timers were ended.
 */
int ct_timers_arm(uint32_t tid);
bool ct_timers_has(uint32_t tid);
/* Deletes the timer of `tid`, if there is one. */
void ct_timers_drop(uint32_t tid);
/* Deletes the timers of threads that are gone, and says of `tid` whether its timer is its own. */
void ct_timers_sweep(void);
void ct_timers_drop_dead(uint32_t tid);
/* In a forked child: there are none. */
void ct_timers_forget(void);

/*
 * A timer of the caller's own, on the CPU clock of thread `tid`: `signal` comes with `value`, first after `first_ns` and then
 * every `period_ns`, 0 for once.  The kernel's number of it, or a negative errno.
 */
int ct_timers_make(uint32_t tid, int signal, void *value, uint64_t first_ns, uint64_t period_ns);
