/*
 * A row to be read: the right edge of its tree, and walks over it.  What it finds in the heap it does not trust; a row
 * that makes no sense ends the walk with -EBADMSG.
 */
#pragma once

#include "converter/index/column.h"

/* What is read: all bytes of the index.  `check` (may be NULL) says whether bytes [at, at + size) are as they were written. */
struct ct_base {
    const uint8_t *bytes;
    size_t used;                        /* CT_HEAP_SLACK more can be read */
    bool (*check)(void *context, uint64_t at, size_t size);
    void *context;
};

/* One level of folds in a file: of all rows, by row and level. */
struct ct_fold_row {
    uint32_t row, level;                /* level: halved */
    uint64_t first, count;              /* of the fold leaves */
};

/* One level of the edge. */
struct ct_strip_level {
    const struct ct_sum *sum;
    unsigned count;
};

/* Borrows the column or the base it was made from. */
struct ct_strip {
    struct ct_base base;
    bool values;
    uint32_t count;
    unsigned levels;
    struct ct_strip_level level[CT_TREE_LEVELS];
    struct ct_sum tail[CT_FAN + 2];    /* level 0 of a column, with what is not coded yet */
    uint8_t *scratch;                   /* that, coded; NULL: there is none */
    size_t scratch_size;

    const struct ct_folds *folds;       /* of a column, NULL: none; else of the file: */
    const struct ct_fold_row *fold_levels;
    const struct ct_fold_leaf *fold_leaves;
    unsigned fold_level_count;
};

/* Of a column that is being built.  0 or -ENOMEM; ends with ct_strip_fini. */
int ct_strip_of(struct ct_strip *strip, const struct ct_base *base, const struct ct_column *column);
void ct_strip_fini(struct ct_strip *strip);

/*
 * Goes over the nodes in order.  `node` is asked first: CT_WALK_IN looks into it, CT_WALK_OVER goes on to the next,
 * CT_WALK_END ends it.  `leaf` gets those leaves that were to be looked into; false ends it.  `first` is the number of
 * the node's first slice.
 */
enum ct_walk { CT_WALK_IN, CT_WALK_OVER, CT_WALK_END };

struct ct_walker {
    enum ct_walk (*node)(void *context, const struct ct_sum *sum, uint32_t first);
    bool (*leaf)(void *context, const struct ct_leaf *leaf, uint32_t first);
    void *context;
    bool backwards;                     /* the last node first; within a leaf the order is the walker's own business */
};

/* 0, or -EBADMSG. */
int ct_strip_walk(const struct ct_strip *strip, const struct ct_walker *walker);

/* The leaf that holds slice `number`, and the number of its first one.  0, -ENOENT, -EBADMSG. */
int ct_strip_leaf(const struct ct_strip *strip, uint32_t number, struct ct_leaf *ret, uint32_t *ret_first);

/* Whether bytes [at, at + size) of the index are there, and as they were written. */
bool ct_strip_has(const struct ct_strip *strip, uint64_t at, size_t size);

/* The number of the last slice that starts at or before `ns`; -ENOENT when there is none, -EBADMSG. */
int ct_strip_find(const struct ct_strip *strip, int64_t ns, uint32_t *ret);
