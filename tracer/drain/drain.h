/*
 * Draining one arena: what the program recorded becomes blocks, generation by generation, for any number of consumers.
 * Nothing that stands in the arena is trusted: a program that scribbles over it spoils its own trace and nothing else.
 * One thread at a time; consumers are borrowed until they are DONE or the drain is closed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drain/blocks.h"
#include "drain/consumer.h"
#include "format/arena.h"

/* A checked copy of where everything is: the arena's own layout may change under our eyes. */
struct ct_drain_map {
    struct ct_arena *arena;
    uint64_t size;                      /* bytes mapped */
    struct ct_arena_layout layout;
    struct ct_arena_thread *threads;
    _Atomic uint32_t *directory;
    uint8_t *slices;
    struct ct_arena_table *strings;
    struct ct_arena_string *string;
    const char *string_bytes;
    struct ct_arena_table *addresses;
    struct ct_arena_address *address;
    struct ct_arena_table *stacks;
    struct ct_arena_stack *stack;
    const uint64_t *stack_words;
    struct ct_arena_modules *modules;
    const uint8_t *module_rows;
};

/* What one generation has been told already: definitions by a bit each. */
struct ct_drain_told {
    uint32_t generation;                /* 0: unused */
    uint32_t module_bytes;
    uint64_t *bits;                     /* strings, addresses, stacks, one after the other */
};

/*
 * What a slice that is still written to must hold to be taken before CT_DRAIN_ALL_NS have gone by: each piece costs some
 * 50 bytes in the file, and bytes in the arena survive a kill as well.  (Those of a memfd do not: hence the time.)
 */
enum { CT_DRAIN_LEAST = 2048, CT_DRAIN_ALL_NS = 90000000 };

/* How far the batch in a slice was read. */
struct ct_drain_slice {
    uint64_t batch;                     /* id + 1; 0: none seen */
    uint32_t done;
};

/* Bytes that wait to be written. */
struct ct_drain_piece {
    uint32_t generation, unit, from, to;
    struct ct_batch_piece row;
    bool sealed;                        /* the slice is free once these are written */
};

struct ct_drain {
    struct ct_drain_map map;
    uint8_t *run;                       /* payload of the RUN block */
    size_t run_size;
    uint8_t arena_id[CT_UUID_SIZE];
    uint32_t pid;                       /* as the program says */
    uint64_t start_time;
    enum ct_clock_kind clock;

    struct ct_consumer *consumers;
    struct ct_blocks blocks;
    uint32_t generation;                /* the one being written; 0: none */
    bool ended;                         /* its GENERATION_END is written already */
    struct ct_clock_sample start;       /* of it */
    uint64_t lost;                      /* events that the program could not record, as of the last round */
    uint64_t lost_before;               /* the same at the generation's start */
    unsigned flags;                     /* CT_BLOCK_RECOVERED for all blocks */

    struct ct_drain_slice *slices;      /* by unit */
    struct ct_drain_piece *pieces;      /* found in this round; room for one a unit */
    size_t piece_count;
    uint64_t all_ns;                    /* when everything was last taken, on the monotonic clock */
    bool all;                           /* take everything in this round */
    struct ct_drain_told told[CT_TURNS];    /* by generation modulo CT_TURNS */
    size_t told_words;
    uint32_t modules_told;              /* bytes of modules that every consumer has seen */
    struct { uint64_t serial; uint32_t generation; } *thread_told;      /* by row */
};

/*
 * Begins to drain an arena of which `size` bytes are mapped read-write at `arena` (shared, or private to change nothing).
 * The mapping is borrowed until ct_drain_close.  Returns 0, -EINVAL with `err`, or -ENOMEM.
 */
int ct_drain_open(struct ct_arena *arena, uint64_t size, struct ct_drain *ret, struct ct_error *err);
/* Takes a zeroed one.  Consumers stay as they are. */
void ct_drain_close(struct ct_drain *d);

/* Adds a consumer; it begins with the first generation whose number is `from` or more. */
void ct_drain_add(struct ct_drain *d, struct ct_consumer *c, uint32_t from);
/* Takes a consumer out without a word in its file.  Unknown ones are ignored. */
void ct_drain_remove(struct ct_drain *d, struct ct_consumer *c);

/*
 * One round: writes what was published before it began, ends generations that the program has ended, sets slices free.
 * Few bytes of a slice that is still written to may wait for a later round.  Returns true when there was something.
 */
bool ct_drain_round(struct ct_drain *d);

/*
 * The end of the program or of its recording: what is left is written and the open generation ended.  With `exact`
 * this moment is the generation's end; without, nobody knows when it was.  Consumers are still to be ended.
 */
void ct_drain_finish(struct ct_drain *d, bool exact);

/*
 * Ends one consumer now, in the middle of a generation if need be, with all that was published until now in its file.
 * It is DONE; ct_drain_remove is the caller's.
 */
void ct_drain_leave(struct ct_drain *d, struct ct_consumer *c, const struct ct_end *end);

/* The first half of that: the generation ends in its file, and nothing more comes.  It is still to be ended. */
void ct_drain_part(struct ct_drain *d, struct ct_consumer *c);

/* Events that the program could not record, as of the last round. */
uint64_t ct_drain_lost(const struct ct_drain *d);

/* --- between drain.c, collect.c, define.c and map.c --- */

int ct_drain_map_make(struct ct_arena *arena, uint64_t size, struct ct_drain_map *ret, struct ct_error *err);
/* Fills `pieces` with new bytes of batches up to generation `noted`, sorted by generation and batch. */
void ct_drain_collect(struct ct_drain *d, uint32_t noted);
/* The pieces are in the consumers' hands: sealed slices can be used again. */
void ct_drain_free_slices(struct ct_drain *d);
/* Writes modules that some consumer has not been told: who looks at threads needs them, though nothing refers to them. */
void ct_drain_modules(struct ct_drain *d);
/* Writes what events of `generation` may refer to and it has not been told yet. */
void ct_drain_define(struct ct_drain *d, uint32_t generation, unsigned flags);
/* Writes rows of threads that `generation` has not seen; with `free_exited` gives rows of ended threads back. */
void ct_drain_threads(struct ct_drain *d, uint32_t generation, bool free_exited);
/* Drops what was remembered of a generation: it begins. */
void ct_drain_forget(struct ct_drain *d, uint32_t generation);
