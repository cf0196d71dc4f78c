/*
 * Which stream has the next event: a tree of losers by time.
 *
 * HOT: runs at every event.
 *   budget   log2(streams) comparisons
 *   never    takes a branch on which of two threads is first: a processor could not guess it
 */
#pragma once

#include "converter/read/stream.h"

struct ct_merge {
    CT_LIST(struct ct_stream *) streams;    /* by rank, so that the smaller number is first at the same time */
    CT_LIST(int64_t) ns;                /* of each one's next event; CT_MERGE_ENDED: it has no more */
    CT_LIST(uint32_t) losers;           /* of the match at each inner node, [1, streams); [0] is the winner of all */
    size_t live;                        /* streams that have not ended */
    bool stale;                         /* streams came: the matches are to be played again */
};

#define CT_MERGE_ENDED (INT64_MAX - 1)

void ct_merge_fini(struct ct_merge *merge);

/* Takes in a stream whose next event is known.  0 or -ENOMEM. */
int ct_merge_add(struct ct_merge *merge, struct ct_stream *stream);

/* Call after ct_merge_add, before those below.  0 or -ENOMEM. */
int ct_merge_ready(struct ct_merge *merge);

/* The stream of the next event, and its time; only while `live` is not 0. */
static inline struct ct_stream *ct_merge_first(const struct ct_merge *merge)
{
    return merge->streams.items[merge->losers.items[0]];
}

static inline int64_t ct_merge_ns(const struct ct_merge *merge)
{
    return merge->ns.items[merge->losers.items[0]];
}

/* The first stream's next event is at `ns` now. */
static inline void ct_merge_moved(struct ct_merge *merge, int64_t ns)
{
    uint32_t *losers = merge->losers.items, winner = losers[0];
    const int64_t *all = merge->ns.items;

    merge->ns.items[winner] = ns;
    for (size_t i = (winner + merge->streams.count) / 2; i > 0; i /= 2) {
        uint32_t loser = losers[i];
        int64_t loser_ns = all[loser];
        uint64_t swap = 0 - (uint64_t)(loser_ns < ns + (loser < winner));      /* all bits, or none: compilers make a */
        uint32_t other = (loser ^ winner) & (uint32_t)swap;                    /* branch of anything that reads better */

        losers[i] = loser ^ other;
        winner ^= other;
        ns ^= (ns ^ loser_ns) & (int64_t)swap;
    }
    losers[0] = winner;
}

/* The first stream has no more. */
void ct_merge_drop(struct ct_merge *merge);
