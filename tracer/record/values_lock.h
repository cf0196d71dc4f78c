/* A lock for short changes of what a forked child goes on using: it survives an owner that is not there any more. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Zeroed it is free. */
struct ct_values_lock {
    _Atomic uint32_t word;              /* futex: tid of the owner, and a bit when somebody waits; edge LOCK */
};

/*
 * Takes it: 0; 1 when its owner has gone meanwhile, and what it was changing may be half done; -EAGAIN when the calling
 * thread has it, because a handler interrupted it, or when its owner has not moved for a second.  Raw system calls only.
 *
 * EDGES
 *   LOCK   ct_values_unlock   ct_values_lock   everything is as the last owner left it
 */
int ct_values_lock(struct ct_values_lock *lock);
void ct_values_unlock(struct ct_values_lock *lock);
