/* The walk over the blocks of an input, for who opens one and for who follows one that grows. */
#pragma once

#include "converter/read/trace.h"

/* Where the blocks of a walk come from. */
struct ct_walk {
    struct ct_trace *trace;
    struct ct_trace_input *input;
    unsigned segment;
    struct ct_block block;
    struct ct_error *err;
};

/* The blocks from `*at` to `end`, one by one.  `*at` is where it stopped.  0, or negative with `w->err`. */
int ct_walk_blocks(struct ct_walk *w, uint64_t *at, uint64_t end);

/* Steps over what the file's directory tells of, if it has one that can be believed. */
int ct_walk_rows(struct ct_walk *w, uint64_t *at);

/*
 * All of a segment, from its beginning.  0 when it is walked to its end, however that looks; negative when it is no trace,
 * or without memory.
 */
int ct_walk_segment(struct ct_walk *w);
