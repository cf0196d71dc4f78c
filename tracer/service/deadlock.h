/* Deadlocks: threads that wait for each other in a circle. */
#pragma once

#include "service/threads_rows.h"

/* Told a cycle of `count` rows, each of which waits for what the next one has, and the last for what the first one has. */
typedef void (*ct_deadlock_tell)(void *context, const struct ct_threads *t, const uint32_t *cycle, size_t count);

/*
 * Tells one cycle, a shortest one, for each lock and each that holds it where there is any that none has told yet.  0, -ENOMEM,
 * or -E2BIG when there may be more than were looked for.
 */
int ct_deadlocks(const struct ct_threads *t, ct_deadlock_tell tell, void *context);
