/*
 * Handlers on signal stacks block our signal besides what they are to block: there may be no room for a second frame of the
 * kernel's, nor for what a sample needs, and a program whose signal stack overflows is killed.  Samples wait until such a
 * handler returns.  The program reads back the masks that it gave.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* `ours` has become our signal: handlers that are installed already block it.  Control thread. */
void ct_keep_out_begin(int ours);

/* It is ours no more: they block it no longer.  Any thread. */
void ct_keep_out_end(int ours);

/*
 * The program is about to install `act` (may be NULL: it only looks) for signal `number`: blocks our signal in it where that
 * is needed.  Whether the one that is there blocks it for us, and a reader is not to see it.  Any thread, in handlers too.
 */
bool ct_keep_out_of(int number, struct sigaction *act);

/* Whether our signal may be blocked because the calling thread is on its signal stack. */
bool ct_keep_out_now(void);

/* Whether there are such handlers at all: who left one by longjmp() may still block our signal. */
bool ct_keep_out_any(void);
