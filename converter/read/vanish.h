/* Mapped files that are cut short while they are read: what is gone reads as zeros, and it is known where that began. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Watches a mapping, until ct_vanish_forget with the same address: a page of it that is not there any more becomes one of
 * zeros instead of SIGBUS.  Any thread.  False when too many are watched: such a one ends the process as ever.
 */
bool ct_vanish_watch(const void *at, size_t size);
void ct_vanish_forget(const void *at);
/* The first byte found missing so far, from the beginning of the mapping; UINT64_MAX: none. */
uint64_t ct_vanish_at(const void *at);
/*
 * In somebody else's process, where nothing is read but files that nobody else can shorten: its handlers stay as they are,
 * and nothing is watched.  Before all others.
 */
void ct_vanish_leave(void);
