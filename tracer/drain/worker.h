/* Threads of ctrace's own. */
#pragma once

#include <pthread.h>
#include <stddef.h>

/*
 * Starts a thread that no signal is delivered to, nor to any that it makes: the signals of the process are for the program,
 * or for the thread that waits for them.  `stack`: bytes, 0 for the usual.  0 or a negative errno.
 */
int ct_worker_start(pthread_t *ret, size_t stack, void *(*run)(void *context), void *context);
