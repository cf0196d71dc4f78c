/*
 * A row in the making: slices are appended in the order of their starts, the last 64 to 128 are held here, and those before
 * them are coded (tree.h).
 */
#pragma once

#include <errno.h>

#include "converter/index/tree.h"

/* Zeroed it is an empty row of slices. */
struct ct_column {
    uint32_t count;                     /* slices in all */
    unsigned held;                      /* of them in `raw`: the first at `raw_from`, the others behind it, round the end */
    unsigned raw_from;                  /* 0 or CT_LEAF */
    int64_t end;                        /* of the last of them; 0: there is none */
    int64_t sealed_end;                 /* of those that are coded: what is before it changes no more */
    size_t payload_from, payload_used, payload_room;
    uint8_t *payload;                   /* of those in `raw`, one behind the other in [payload_from, payload_used) */
    struct ct_raw raw[2 * CT_LEAF];
    struct ct_tree tree;                /* of what is coded; the coder's, as long as there is one: far from what changes at each slice */
};

void ct_column_fini(struct ct_column *column);

/* Codes the oldest 64, or has them coded; false: heap->error. */
bool ct_column_seal(struct ct_column *column, struct ct_heap *heap);
bool ct_column_payload_grow(struct ct_column *column, size_t size);

/* Where slice `i` of those in `raw` is. */
static inline unsigned ct_column_at(const struct ct_column *c, unsigned i)
{
    return (c->raw_from + i) % (2 * CT_LEAF);
}

/* HOT: room for one more slice; false: heap->error. */
static inline bool ct_column_ready(struct ct_column *c, struct ct_heap *heap)
{
    return __builtin_expect(c->held < 2 * CT_LEAF, 1) || ct_column_seal(c, heap);
}

/* HOT: where the next slice's payload goes, when it has no more than `size` bytes; NULL: heap->error. */
static inline uint8_t *ct_column_room(struct ct_column *c, struct ct_heap *heap, size_t size)
{
    if (!ct_column_ready(c, heap))
        return NULL;
    if (__builtin_expect(c->payload_room - c->payload_used < size, 0) && !ct_column_payload_grow(c, size)) {
        ct_heap_fail(heap, -ENOMEM);
        return NULL;
    }
    return c->payload + c->payload_used;
}

/*
 * HOT: Appends a slice, for which there is room, with `size` bytes of payload that were written already; it starts at or
 * after the end of the one before unless the column is loose.
 */
static inline void ct_column_push(struct ct_column *c, int64_t start, int64_t end, uint32_t name, size_t size)
{
    struct ct_raw *raw = &c->raw[ct_column_at(c, c->held)];

    raw->start = start;
    raw->dur = end - start;
    raw->name = name;
    raw->size = (uint32_t)size;
    c->end = end;
    c->payload_used += size;
    c->held++;
    c->count++;
}

/* The same with a copy of the payload. */
static inline bool ct_column_add(struct ct_column *c, struct ct_heap *heap, int64_t start, int64_t end, uint32_t name,
                                 const uint8_t *payload, size_t size)
{
    uint8_t *to = size ? ct_column_room(c, heap, size) : NULL;

    if (size ? !to : !ct_column_ready(c, heap))
        return false;
    if (size)
        memcpy(to, payload, size);
    ct_column_push(c, start, end, name, size);
    return true;
}

bool ct_column_add_value(struct ct_column *column, struct ct_heap *heap, int64_t ns, double value);

/*
 * Moves the last slices of `from`, those that start at `start` or later, to the end of `to`.  They must all be in raw;
 * ct_column_tail says how many they are, or -1 when some are coded already.
 */
int ct_column_tail(const struct ct_column *from, int64_t start);
bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count);

/* All that is in raw becomes leaves: nothing more comes. */
bool ct_column_finish(struct ct_column *column, struct ct_heap *heap);
