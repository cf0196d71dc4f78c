/* Which stream has the next event: a binary heap by time. */
#pragma once

#include "converter/read/stream.h"

/* `rank` decides at the same time: program, generation, thread, handler; so the order is a property of the trace alone. */
struct ct_merge_node {
    int64_t ns;
    uint64_t rank;
    struct ct_stream *stream;
};

struct ct_merge {
    CT_LIST(struct ct_merge_node) heap; /* [0] is the next */
};

/* Takes in a stream whose next event is at `ns`.  0 or -ENOMEM. */
int ct_merge_add(struct ct_merge *merge, struct ct_stream *stream, int64_t ns);

/* The first stream's next event is at `ns` now. */
void ct_merge_moved(struct ct_merge *merge, int64_t ns);

/* The first stream has no more. */
void ct_merge_drop(struct ct_merge *merge);
