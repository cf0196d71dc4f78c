/*
 * LTTng: events go to libctrace-lttng.so, too, while a session of its wants them.  The library is loaded when it is asked
 * for, and brings liblttng-ust with it; where that is not, the program is told so in one line and runs on.
 *
 * The gate opens when a session enables events of ours and nobody else records; the arena's tables are used then, its
 * slices are not.  Nobody says when that happens: the control thread looks.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/arena.h"

/* CTRACE_LTTNG=1 asks for it in programs that have the recorder without `ctrace record`. */
#define CT_TAP_ENV "CTRACE_LTTNG"

/*
 * Loads the library and, with a session of ours, looks what is wanted.  0 when it is there, or -ELIBACC after a line on
 * stderr.  Not in a signal handler, nor under a lock of the program's.
 */
int ct_tap_load(void);
/* Loads it, and makes a session for nobody else when there is none.  0 or a negative errno. */
int ct_tap_enable(void);
/* Whether it is loaded: who listens may be LTTng. */
bool ct_tap_loaded(void);
/* Looks what sessions want now, and opens or shuts the gate.  Control thread. */
void ct_tap_look(struct ct_arena *a);
/*
 * Before a session is opened that is to be started at once: until then nothing is looked at, so that LTTng and who records begin with
 * the same event.  And when it starts, before ct_turn_want(), on the control thread; with NULL, on any, when it did not.
 */
void ct_tap_hold(void);
void ct_tap_start(struct ct_arena *a);
/* Nanoseconds until it has to look again; -1: never. */
int64_t ct_tap_due_ns(void);

/* First act of a thread, before it is attached: nothing is locked yet. */
void ct_tap_thread_born(void);
/*
 * It has named itself, as an allocator's own thread does before it takes a lock of its own: one that was born unseen, or before
 * LTTng's library was there, may be told of from here on.
 */
void ct_tap_thread_named(void);
/* A thread was created: LTTng knows threads by their tids, and this one may be told of before it has done anything. */
void ct_tap_thread_made(uint64_t serial, uint32_t tid);
/* Whether this is in one of LTTng's libraries: where a thread of its own begins, or a lock of its own. */
bool ct_tap_is_lttngs(const void *of);
/*
 * The same once its library is there, whether a session is or not: what begins in such code ends in it, a mask for one.  Such a lock
 * is not to be told of, and whom such code keeps out is to stay out.  What is told while a thread has a lock of LTTng's, as one that
 * ends has, would want that lock.
 */
static inline bool ct_tap_owns(const void *of)
{
    return ct_tap_loaded() && ct_tap_is_lttngs(of);
}
/*
 * To be called when LTTng's library is there: the end of the process is to be announced before that says farewell.  Not in a signal
 * handler.  The wrappers' part, which is not there in every program.
 */
void ct_exit_watch(void) __attribute__((weak, visibility("hidden")));
/* Whether what is written for trace.out has this category; it may be recorded for LTTng alone. */
bool ct_tap_leaves(unsigned category);

/* Around fork(), which LTTng must know of: `saved` is given to the other two, if it returned true. */
bool ct_tap_fork_begins(sigset_t *saved);
void ct_tap_fork_parent(sigset_t *saved);
/* `told`: what the first returned.  After ct_session_forked_child(). */
void ct_tap_fork_child(sigset_t *saved, bool told);
/* In any child, however it was made: LTTng does not know of it unless ct_tap_fork_child() comes. */
void ct_tap_forget(void);
