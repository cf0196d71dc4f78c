/*
 * A row in the making: slices are appended in the order of their starts, and every 32 of them become a leaf in the heap,
 * every 32 leaves a node of sums, and so on: a tree of fan-out 32, of which only the right edge is here.
 */
#pragma once

#include <errno.h>

#include "converter/index/heap.h"
#include "converter/index/leaf.h"

enum { CT_TREE_LEVELS = 7 };            /* 32^7 slices are more than a uint32_t counts */

/* The sums of nodes whose parent is not full yet. */
struct ct_edge {
    struct ct_sum sum[CT_LEAF];
    unsigned count;
};

/* Zeroed it is an empty row of slices. */
struct ct_column {
    bool values;
    bool unordered;                     /* starts need not ascend: arrows */
    uint32_t count;                     /* slices in all */
    unsigned held;                      /* of them in `raw` */
    unsigned levels;                    /* of `edge` that are there; edge[0] has leaves */
    int64_t sealed_end;                 /* the greatest end of those that are coded */
    size_t payload_used, payload_room;
    uint8_t *payload;                   /* of those in `raw`, one behind the other */
    struct ct_edge *edge[CT_TREE_LEVELS];
    struct ct_raw raw;
};

void ct_column_fini(struct ct_column *column);

/* Codes the oldest 32; false: heap->error, or no memory (then heap->error is -ENOMEM). */
bool ct_column_seal(struct ct_column *column, struct ct_heap *heap);
bool ct_column_payload_grow(struct ct_column *column, size_t size);

/*
 * HOT: Appends a slice; it starts at or after the one before it unless the column is unordered.  False: no room, which
 * heap->error tells.
 */
static inline bool ct_column_add(struct ct_column *c, struct ct_heap *heap, int64_t start, int64_t end, uint32_t name,
                                 const uint8_t *payload, size_t size)
{
    unsigned at = c->held;

    if (at == 2 * CT_LEAF) {
        if (!ct_column_seal(c, heap))
            return false;
        at = c->held;
    }
    if (__builtin_expect(c->payload_room - c->payload_used < size + 8, 0) && !ct_column_payload_grow(c, size)) {
        heap->error = -ENOMEM;
        return false;
    }
    c->raw.start[at] = start;
    c->raw.dur[at] = end - start;
    c->raw.name[at] = name;
    c->raw.size[at] = (uint32_t)size;
    memcpy(c->payload + c->payload_used, payload, size);
    c->payload_used += size;
    c->held = at + 1;
    c->count++;
    return true;
}

bool ct_column_add_value(struct ct_column *column, struct ct_heap *heap, int64_t ns, double value);

/* The end of the last slice; `none` when there is none. */
static inline int64_t ct_column_end(const struct ct_column *c, int64_t none)
{
    return c->held ? c->raw.start[c->held - 1] + c->raw.dur[c->held - 1] : none;
}

/*
 * Moves the last slices of `from`, those that start at `start` or later, to the end of `to`.  They must all be in raw;
 * ct_column_tail says how many they are, or -1 when some are coded already.
 */
int ct_column_tail(const struct ct_column *from, int64_t start);
bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count);

/* All that is in raw becomes leaves: nothing more comes. */
bool ct_column_finish(struct ct_column *column, struct ct_heap *heap);
