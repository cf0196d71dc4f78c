/*
 * A row in the making: slices are appended in the order of their starts, and every 64 of them become a leaf in the heap,
 * every 32 leaves a node of sums, and so on: a tree of fan-out 32, of which only the right edge is here.
 */
#pragma once

#include <errno.h>

#include "converter/index/fold.h"

enum {
    CT_TREE_LEVELS = 7,                 /* 64 * 32^6 slices are more than a uint32_t counts */
    CT_COLUMN_SHORT = 16,
    CT_COLUMN_FOLDS_FROM = 4 * CT_FAN * CT_LEAF,    /* slices that are looked at one by one without much ado */
};

/* The sums of nodes whose parent is not full yet. */
struct ct_edge {
    struct ct_sum sum[CT_FAN];
    unsigned count;
};

/* Zeroed it is an empty row of slices. */
struct ct_column {
    bool values;
    bool loose;                         /* starts need not ascend: arrows */
    uint32_t count;                     /* slices in all */
    unsigned held;                      /* of them in `raw`: the first at `raw_from`, the others behind it, round the end */
    unsigned raw_from;                  /* 0 or CT_LEAF */
    unsigned levels;                    /* of `edge` that are there; edge[0] has leaves */
    int64_t sealed_end;                 /* the greatest end of those that are coded */
    size_t payload_from, payload_used, payload_room;
    uint8_t *payload;                   /* of those in `raw`, one behind the other in [payload_from, payload_used) */
    struct ct_edge *edge[CT_TREE_LEVELS];
    struct ct_folds *folds;             /* NULL: there are none yet */
    struct ct_raw raw;
};

void ct_column_fini(struct ct_column *column);

/* Codes the oldest 64; false: heap->error, or no memory (then heap->error is -ENOMEM). */
bool ct_column_seal(struct ct_column *column, struct ct_heap *heap);
bool ct_column_payload_grow(struct ct_column *column, size_t size);

/* Where slice `i` of those in `raw` is. */
static inline unsigned ct_column_at(const struct ct_column *c, unsigned i)
{
    return (c->raw_from + i) % (2 * CT_LEAF);
}

/*
 * HOT: Appends a slice; it starts at or after the one before it unless the column is loose.  The payload can be read
 * CT_COLUMN_SHORT bytes far, whatever its size.  False: no room, which heap->error tells.
 */
static inline bool ct_column_add(struct ct_column *c, struct ct_heap *heap, int64_t start, int64_t end, uint32_t name,
                                 const uint8_t *payload, size_t size)
{
    unsigned at;

    if (__builtin_expect(c->held == 2 * CT_LEAF, 0) && !ct_column_seal(c, heap))
        return false;
    if (__builtin_expect(c->payload_room - c->payload_used < size + CT_COLUMN_SHORT, 0) && !ct_column_payload_grow(c, size)) {
        heap->error = -ENOMEM;
        return false;
    }
    at = ct_column_at(c, c->held);
    c->raw.start[at] = start;
    c->raw.dur[at] = end - start;
    c->raw.name[at] = name;
    c->raw.size[at] = (uint32_t)size;
    if (__builtin_expect(size <= CT_COLUMN_SHORT, 1))
        memcpy(c->payload + c->payload_used, payload, CT_COLUMN_SHORT);
    else
        memcpy(c->payload + c->payload_used, payload, size);
    c->payload_used += size;
    c->held++;
    c->count++;
    return true;
}

bool ct_column_add_value(struct ct_column *column, struct ct_heap *heap, int64_t ns, double value);

/* The end of the last slice; `none` when there is none. */
static inline int64_t ct_column_end(const struct ct_column *c, int64_t none)
{
    unsigned at = ct_column_at(c, c->held - 1);

    return c->held ? c->raw.start[at] + c->raw.dur[at] : none;
}

/*
 * Moves the last slices of `from`, those that start at `start` or later, to the end of `to`.  They must all be in raw;
 * ct_column_tail says how many they are, or -1 when some are coded already.
 */
int ct_column_tail(const struct ct_column *from, int64_t start);
bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count);

/* All that is in raw becomes leaves: nothing more comes. */
bool ct_column_finish(struct ct_column *column, struct ct_heap *heap);
