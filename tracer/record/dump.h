/*
 * Stacks of all threads, from outside: nobody is stopped or signalled, so no call of the program comes back early.  A
 * thread that waits is unwound by what the kernel says of its stack pointer; one that runs is only said to run.
 */
#pragma once

#include "format/arena.h"

/* Writes a struct ct_thread_dump for each thread but ours into `fd`; their number, or a negative errno.  Control thread. */
int ct_dump_threads(struct ct_arena *a, int fd);
