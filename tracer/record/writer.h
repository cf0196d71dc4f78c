/* Slices of the arena for threads to write to; the slow half of an emit. */
#pragma once

#include "record/thread.h"

/*
 * Takes a slice of up to `want` units; its directory entry says CONTINUED until the caller has put a batch head there.
 * Returns its units and sets `*ret` to its first one; 0 when the arena is full.  Any thread; lock-free.
 */
uint32_t ct_slice_take(struct ct_arena *a, uint32_t want, uint32_t *ret);

/* Gives the writer's slice to the drainer; the writer has none afterwards.  Only the owner. */
void ct_writer_seal(struct ct_writer *w);
