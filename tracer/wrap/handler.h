/* Handlers of signals: in front of each is a piece of code of ours, which tells how long it ran. */
#pragma once

#include <signal.h>

/*
 * What to install in place of `handler`: code that calls it, for ever; itself when it is none (SIG_DFL and such), or when
 * there are more than there is code for.  Any thread, any time: in handlers, and in a vfork() child.
 */
sighandler_t ct_handler_front(sighandler_t handler);

/* The program's own handler behind what was installed; anything else is what it is. */
sighandler_t ct_handler_behind(sighandler_t installed);
