/* A writer of arenas as format/arena.h has them, without a recorder: one thread, every step by hand. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "format/arena.h"
#include "format/schema.h"

/* An arena of `size` bytes in shared memory, with clocks and ids set.  writer_free unmaps it. */
struct ct_arena *writer_arena(uint64_t size);
void writer_free(struct ct_arena *a);

/* Turns to generation `number`. */
void writer_turn(struct ct_arena *a, uint32_t number);
/* Makes or uses a string, for `generation`; its id. */
uint32_t writer_string(struct ct_arena *a, const char *text, uint32_t generation);
/* Stamps a string as used in `generation`. */
void writer_use_string(struct ct_arena *a, uint32_t id, uint32_t generation);
/* A thread's row. */
struct ct_arena_thread *writer_thread(struct ct_arena *a, uint32_t row, uint64_t serial, const char *name);

/* Takes `units` for a batch of `generation`; the slice's first unit. */
uint32_t writer_slice(struct ct_arena *a, uint32_t units, uint32_t generation, uint64_t thread);
/* Adds MARK events of the string to the batch; publishes each. */
void writer_marks(struct ct_arena *a, uint32_t unit, uint32_t string, unsigned count);
void writer_seal(struct ct_arena *a, uint32_t unit);
