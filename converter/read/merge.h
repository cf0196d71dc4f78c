/* Which stream has the next event. */
#pragma once

#include "converter/read/losers.h"
#include "converter/read/stream.h"

struct ct_merge {
    CT_LIST(struct ct_stream *) streams;    /* by rank, so that the smaller number is first at the same time */
    struct ct_losers tree;              /* of their next events */
    size_t live;                        /* streams that have not ended */
    bool stale;                         /* streams came: the matches are to be played again */
};

void ct_merge_fini(struct ct_merge *merge);

/* Takes in a stream whose next event is known.  0 or -ENOMEM. */
int ct_merge_add(struct ct_merge *merge, struct ct_stream *stream);

/* Call after ct_merge_add, before those below.  0 or -ENOMEM. */
int ct_merge_ready(struct ct_merge *merge);

/* The stream of the next event, and its time; only while `live` is not 0. */
static inline struct ct_stream *ct_merge_first(const struct ct_merge *merge)
{
    return merge->streams.items[ct_losers_first(&merge->tree)];
}

static inline int64_t ct_merge_ns(const struct ct_merge *merge)
{
    return ct_losers_ns(&merge->tree);
}

/* The first stream's next event is at `ns` now. */
static inline void ct_merge_moved(struct ct_merge *merge, int64_t ns)
{
    ct_losers_moved(&merge->tree, ns);
}

/* The first stream has no more. */
void ct_merge_drop(struct ct_merge *merge);
