/*
 * Stacks of all threads, from outside: no thread that waits is signalled, so no call of the program comes back early.  It
 * is unwound by what the kernel says of its stack pointer; one that runs tells by itself when it next uses CPU time.
 */
#pragma once

#include <stdbool.h>

#include "format/arena.h"

/*
 * Writes a struct ct_thread_dump for each thread but ours into `fd`; their number, or a negative errno.  It may wait up to
 * a second for threads that run, and calls `go_on` every few milliseconds, which says whether to.  Control thread.
 */
int ct_dump_threads(struct ct_arena *a, int fd, bool (*go_on)(void));
