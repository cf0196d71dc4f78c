/* A thread that libc does not know: raw clone, own stack, own thread pointer. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Runs `body` on a new thread with all signals blocked; when it returns the thread ends.  `*tid` is set before this
 * returns and becomes 0, with a futex wake, when the thread is gone.  Returns 0 or a negative errno.
 */
int ct_raw_thread_start(void (*body)(void), _Atomic uint32_t *tid);
/* Waits until the thread is gone. */
void ct_raw_thread_join(_Atomic uint32_t *tid);
/* Whether this is it. */
bool ct_raw_thread_is_self(void);
