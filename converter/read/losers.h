/*
 * Which of several that go on in time is first: a tree of losers.
 *
 * HOT: runs at every event.
 *   budget   log2(members) comparisons
 *   never    takes a branch on which of two members is first: a processor could not guess it
 */
#pragma once

#include "converter/read/list.h"

struct ct_losers {
    CT_LIST(int64_t) ns;                /* of each member's next; at the same time the one with the smaller number is first */
    CT_LIST(uint32_t) losers;           /* of the match at each inner node, [1, members); [0] is the winner of all */
};

#define CT_LOSERS_ENDED (INT64_MAX - 1) /* for `ns`: it has no more */

void ct_losers_fini(struct ct_losers *tree);

/* Forgets all members. */
void ct_losers_clear(struct ct_losers *tree);

/* One more member, whose number is how many there were.  0 or -ENOMEM. */
int ct_losers_add(struct ct_losers *tree, int64_t ns);

/* Call when all are there, before those below. */
void ct_losers_play(struct ct_losers *tree);

/* The member that is first, and its time. */
static inline uint32_t ct_losers_first(const struct ct_losers *tree)
{
    return tree->losers.items[0];
}

static inline int64_t ct_losers_ns(const struct ct_losers *tree)
{
    return tree->ns.items[tree->losers.items[0]];
}

/* What the first one has next is at `ns` now. */
static inline void ct_losers_moved(struct ct_losers *tree, int64_t ns)
{
    uint32_t *losers = tree->losers.items, winner = losers[0];
    const int64_t *all = tree->ns.items;

    tree->ns.items[winner] = ns;
    for (size_t i = (winner + tree->losers.count) / 2; i > 0; i /= 2) {
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
