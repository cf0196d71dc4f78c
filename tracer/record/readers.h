/* Which threads read-hold which rwlock, as far as they took it while locks were recorded: libc itself only counts them. */
#pragma once

#include <stdint.h>

/* The calling thread has a read lock once more, or is about to give one back, if it was one. */
void ct_readers_add(const void *lock);
void ct_readers_remove(const void *lock);

/* The next thread that has one of `lock`, from `*place` on, which begins with 0 and is moved on; 0: no more. */
uint32_t ct_readers_next(uint64_t lock, unsigned *place);

/* Locks are recorded from now on: what was known may have changed unseen. */
void ct_readers_forget(void);
