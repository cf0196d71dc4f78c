/* Which threads read-hold which rwlock, as far as they took it while locks were recorded: libc itself only counts them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/thread_dump.h"

/* The calling thread has a read lock once more, or is about to give one back, if it was one. */
void ct_readers_add(const void *lock);
void ct_readers_remove(const void *lock);

/* The next of all that are known, from `*place` on, which begins with 0 and is moved on; false: no more. */
bool ct_readers_next(unsigned *place, struct ct_read_dump *ret);

/* Locks are recorded from now on: what was known may have changed unseen. */
void ct_readers_forget(void);
