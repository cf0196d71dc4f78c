/*
 * The coded slices of a row in the making: every 64 of them are a leaf in the heap, every 32 leaves a node of sums, and so
 * on: a tree of fan-out 32, of which only the right edge is here.
 */
#pragma once

#include "converter/index/fold.h"

enum {
    CT_TREE_LEVELS = 7,                 /* 64 * 32^6 slices are more than a uint32_t counts */
    CT_TREE_FOLDS_FROM = CT_FAN * CT_LEAF,      /* slices, which a tile of a row's beginning looks at one by one */
};

/* The sums of nodes whose parent is not full yet. */
struct ct_edge {
    struct ct_sum sum[CT_FAN];
    unsigned count;
};

/* Zeroed it is an empty row of slices. */
struct ct_tree {
    bool values;
    bool loose;                         /* starts need not ascend: arrows */
    uint32_t count;                     /* slices */
    unsigned levels;                    /* of `edge` that are there; edge[0] has leaves */
    struct ct_edge *edge[CT_TREE_LEVELS];
    struct ct_folds *folds;             /* NULL: there are none yet */
};

void ct_tree_fini(struct ct_tree *tree);

/* HOT: codes some slices, CT_LEAF of them but at the end; false: heap->error. */
bool ct_tree_add(struct ct_tree *tree, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, const uint8_t *payload,
                 size_t payload_size);

/* Nothing more comes. */
bool ct_tree_finish(struct ct_tree *tree, struct ct_heap *heap);
