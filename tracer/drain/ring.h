/*
 * A trace that keeps the newest: two files, of which the older is thrown away when the newer is half the size asked
 * for.  PATH is the newer, PATH.ring the older; each is a trace of its own.  At the end they become one.
 */
#pragma once

#include "drain/consumer.h"

/* Makes `c` keep about `size` bytes.  0 or -ENOMEM; ct_ring_fini undoes it. */
int ct_ring_init(struct ct_consumer *c, const char *path, uint64_t size);
/* Takes a consumer without a ring. */
void ct_ring_fini(struct ct_consumer *c);

/*
 * Puts the halves together at the path; to be called before the END block.  0 or a negative errno: they stay apart,
 * and readers still find both.
 */
int ct_ring_merge(struct ct_consumer *c);

/* Appends the blocks of [from, end) of file `in` to `out`, whose whole blocks end at `*size`. */
int ct_ring_append(int in, uint64_t from, int out, uint64_t *size);
