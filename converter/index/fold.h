/*
 * Folds: what a row shows at steps of 2^level ns, level 0 or another even one.  The slices of a row that start in one step and are
 * shorter than it are one fold; one that is at least a step long stands for itself.  All values of a step are one fold.  A level
 * is made of the folds of the level below it, the finest of the slices; which level that is follows how dense slices are, from
 * node to node.
 *
 * So a tile reads one or two folds for each of its steps, and no slices, unless its steps are shorter than the finest.
 * Folds are coded by 64, as leaves are, and found through a list of these (32 bytes for some thousand slices).
 */
#pragma once

#include "converter/index/heap.h"
#include "converter/index/leaf.h"
#include "converter/read/list.h"

enum {
    CT_FOLD_LEAF = 64,
    CT_FOLD_LEVELS = 27,                /* 0, 2 .. 52 */
    CT_FOLD_LEAF_ROOM = 16 + CT_FOLD_LEAF * 8 * 8 + 8 * 8,
};

struct ct_fold {
    int64_t start;                      /* of the step; of the slice, when that is at least a step long */
    uint32_t first, count;              /* slices or values [first, first + count) */
    union {
        struct {
            int64_t longest, busy;      /* ns */
            uint32_t name, slice;       /* of the longest, the first of them */
        };
        struct { double min, max, last; };  /* of a row of values */
    };
};

/* Where some folds stand. */
struct ct_fold_leaf {
    int64_t start;                      /* of the first */
    uint64_t at;
    uint32_t size, count;
    uint32_t first, zero;               /* slice */
};

_Static_assert(sizeof(struct ct_fold_leaf) == 32, "they are stored as they are");

/* One level in the making. */
struct ct_fold_level {
    struct ct_fold open;                /* count 0: there is none */
    struct ct_fold raw[CT_FOLD_LEAF];
    unsigned held;                      /* of raw */
    CT_LIST(struct ct_fold_leaf) leaves;
};

/* Those of a row in the making; zeroed it has none. */
struct ct_folds {
    struct ct_fold_level *level[CT_FOLD_LEVELS];
    bool values;
    unsigned finest;                    /* the level, halved, that slices go to */
    uint64_t made;                      /* folds of the finest level */
    uint64_t made_before;               /* as of the last node */
};

void ct_folds_fini(struct ct_folds *folds);

/* Begins with `finest`, a level halved; false without memory. */
bool ct_folds_begin(struct ct_folds *folds, bool values, unsigned finest);

/* HOT: takes slices or values [first, first + count) in; false: no room, which heap->error tells. */
bool ct_folds_add(struct ct_folds *folds, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, uint32_t first);

/* After each node of slices: chooses another finest level where the one that is makes too many folds of them, or too few. */
bool ct_folds_look(struct ct_folds *folds, struct ct_heap *heap, unsigned slices);

/* Codes all that is under way: nothing more comes. */
bool ct_folds_finish(struct ct_folds *folds, struct ct_heap *heap);

/* The level, halved, that suits slices of which so many take so long. */
unsigned ct_folds_level_of(int64_t ns, uint64_t slices);

/* Codes at most CT_FOLD_LEAF folds of values as a leaf; returns its size. */
size_t ct_fold_values_code(uint8_t *to, const struct ct_fold *fold, unsigned count, unsigned level);

/* Reads a leaf: `ret` has CT_FOLD_LEAF.  False when the bytes are none.  `level` is halved.  8 bytes behind can be read. */
bool ct_fold_leaf_read(const uint8_t *bytes, const struct ct_fold_leaf *leaf, unsigned level, struct ct_fold *ret);
bool ct_fold_values_read(const uint8_t *bytes, const struct ct_fold_leaf *leaf, unsigned level, struct ct_fold *ret);
