/*
 * The control thread: the one thread that ctrace has in a traced program.
 *
 * It is made by a raw clone, uses system calls only and has a descriptor table of its own, so that libc goes on
 * believing in a single-threaded program, and the program sees no descriptor of ours.  It makes the arena, talks to
 * `ctrace`, turns generations, backs the arena with memory ahead of the writers, and looks for new modules.
 */
#pragma once

#include <stdbool.h>

/*
 * Starts the thread and waits until it has made the arena or given up; after CT_ASK_END it takes up the arena that is
 * there.  0 or a negative errno; `ct_arena` is set.
 */
int ct_control_start(void);
/* Control thread, between two steps of long work: keeps up with the program; false when a thread of it asks for something. */
bool ct_control_go_on(void);
/* In a forked child: there is no control thread. */
void ct_control_forget(void);
