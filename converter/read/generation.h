/* One generation in memory: its tables, its threads' rows, and the streams of events of its threads. */
#pragma once

#include "converter/read/stream.h"
#include "converter/read/trace.h"

struct ct_loaded {
    struct ct_read_generation pub;      /* first: consumers hold pointers to it */
    struct ct_program *program;
    const struct ct_generation_index *index;
    struct ct_generation_index own;     /* `index`: those of the program move when more come */
    uint64_t place;                     /* among them */
    CT_LIST(struct ct_text) strings;
    struct ct_idmap string_places;
    CT_LIST(uint64_t) addresses;
    struct ct_idmap address_places;
    CT_LIST(struct ct_read_stack) stacks;
    CT_LIST(uint64_t) pcs;
    struct ct_idmap stack_places;
    CT_LIST(struct ct_read_thread_row) rows;
    struct ct_idmap row_places;         /* by serial */
    CT_LIST(struct ct_piece) pieces;
    CT_LIST(struct ct_stream) streams;
    unsigned live;                      /* streams that have events left */
    struct ct_loaded *next;             /* retired: freed at the next call */
};

/*
 * Loads a generation: checks its blocks, reads its tables, and makes one stream a thread (none with `tables_only`).
 * Damage is noted in the trace, and what stands before it is there.  Returns 0, or -ENOMEM with `err`.
 */
int ct_loaded_new(struct ct_program *program, const struct ct_generation_index *index, bool tables_only,
                  struct ct_loaded **ret, struct ct_error *err);

/* Takes NULL. */
void ct_loaded_free(struct ct_loaded *loaded);
