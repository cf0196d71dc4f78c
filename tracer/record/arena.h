/* Making the arena of this process and backing it with memory.  Control thread only. */
#pragma once

#include "format/arena.h"

enum { CT_POPULATE_WRITE = 23 };    /* MADV_POPULATE_WRITE, which older headers lack */

/*
 * Makes and maps an arena: a file in ct_options.dir named by its id, else a memfd.  `*ret_fd` is its descriptor in the
 * calling thread's table.  Returns 0 or a negative errno; nothing is left behind on failure.
 */
int ct_arena_make(struct ct_arena **ret, int *ret_fd);
/* Backs more slices with memory, ahead of the writers.  Returns 0, or a negative errno when there is no more. */
int ct_arena_grow(struct ct_arena *a, int fd);
/* The least of what follows: little while nobody looks, and only what comes rarely is recorded. */
enum { CT_ARENA_LEAST = 256, CT_ARENA_LEAST_CALM = 16 };
extern _Atomic uint32_t ct_arena_least __attribute__((visibility("hidden")));
/*
 * How many units should be backed by memory beyond the `used` ones: a program that records much is given more ahead.
 * A thread at full speed fills 1 MiB in about 3 ms, which is also what it may take until the control thread runs.
 */
static inline uint32_t ct_arena_ahead(uint32_t used)
{
    uint32_t least = atomic_load_explicit(&ct_arena_least, memory_order_relaxed);

    return used < least ? least : used > 2048 ? 2048 : used;
}
/* While it records: backs as much ahead of the writers as that says. */
void ct_arena_grow_ahead(struct ct_arena *a, int fd);
/* Removes the arena's file (its name); the mapping stays. */
void ct_arena_unlink(const struct ct_arena *a);
/* Writes the file's path; empty for a memfd. */
void ct_arena_path(const struct ct_arena *a, char *to, size_t size);
/* In a forked child: puts private memory over the parent's arena, so that stray writes hurt nobody. */
void ct_arena_disown(struct ct_arena *a);
