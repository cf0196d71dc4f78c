/* Going over the folds of a row, those that are under way as well. */
#pragma once

#include "converter/index/strip.h"

struct ct_fold_cursor {
    const struct ct_strip *strip;
    unsigned level;                     /* halved */
    unsigned open;                      /* of a row in the making: how many stages come after the leaves */
    const struct ct_fold_leaf *leaves;
    size_t leaf_count, leaf;            /* leaf: to be read next */
    const struct ct_fold *fold;
    unsigned next, count;               /* of `fold` */
    bool damaged;
    struct ct_fold read[CT_FOLD_LEAF];
};

/*
 * Goes to the last fold that starts at or before `ns`, or earlier, of the longest steps that are no longer than
 * 2^level ns.  False: there are none of these.
 */
bool ct_fold_cursor_at(struct ct_fold_cursor *cursor, const struct ct_strip *strip, unsigned level, int64_t ns);

/* The slices of nodes with a `step` (struct ct_sum) up to this one are in what the cursor goes over. */
static inline unsigned ct_fold_cursor_step(const struct ct_fold_cursor *c)
{
    return 2 * c->level;
}

/* More folds in fold[next, count); false: there are none, or what is there makes no sense (`damaged`). */
bool ct_fold_cursor_more(struct ct_fold_cursor *cursor);
