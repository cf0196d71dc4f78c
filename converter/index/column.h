/*
 * A row in the making: slices are appended in the order of their starts, the last 64 to 128 are held here, and those before
 * them are coded (tree.h).
 */
#pragma once

#include <errno.h>

#include "converter/index/tree.h"
#include "converter/read/expect.h"

/* Up to CT_LEAF slices that lie one behind the other, and their payloads.  It goes from hand to hand: nothing is copied. */
struct ct_chunk {
    _Alignas(CT_LINE) struct ct_raw raw[CT_LEAF];
    uint8_t *bytes;                     /* with room for `room` */
    size_t used, room;                  /* used: known when it is full, or left */
};

/* Takes NULL. */
void ct_chunk_free(struct ct_chunk *chunk);

/* Zeroed it is an empty row of slices.  What a slice needs is one line of memory, and the coder's are others. */
struct ct_column {
    _Alignas(CT_LINE) struct ct_raw *next;      /* where the next slice goes */
    struct ct_raw *limit;               /* up to where there is room for more */
    uint8_t *bytes;                     /* of `now`, as are the two below: what is used of its payloads, and their room */
    size_t used, room;
    int64_t end;                        /* of the last slice; 0: there is none */
    uint32_t count;                     /* slices in all */
    struct ct_chunk *now, *before;      /* `next` points into; that is full, and those of `now` follow.  NULL: there is none */
    struct ct_chunk *spare;             /* NULL, or an empty one */
    int64_t before_end;                 /* of the last slice of `before` */
    int64_t sealed_end;                 /* of those that are coded: what is before it changes no more */
    _Alignas(CT_LINE) struct ct_tree tree;      /* of what is coded; the coder's, as long as there is one */
};

void ct_column_fini(struct ct_column *column);

/* Makes room for more slices: codes the oldest 64, or has them coded.  false: heap->error. */
bool ct_column_turn(struct ct_column *column, struct ct_heap *heap);
bool ct_column_payload_grow(struct ct_column *column, size_t size);

/* How many slices are in `now`, in both. */
static inline unsigned ct_column_filled(const struct ct_column *c)
{
    return c->now ? (unsigned)(c->next - c->now->raw) : 0;
}

static inline unsigned ct_column_held(const struct ct_column *c)
{
    return ct_column_filled(c) + (c->before ? CT_LEAF : 0);
}

/* Slice `i` of those that are held. */
static inline const struct ct_raw *ct_column_at(const struct ct_column *c, unsigned i)
{
    if (!c->before)
        return &c->now->raw[i];
    return i < CT_LEAF ? &c->before->raw[i] : &c->now->raw[i - CT_LEAF];
}

/* HOT: room for one more slice; false: heap->error. */
static inline bool ct_column_ready(struct ct_column *c, struct ct_heap *heap)
{
    return __builtin_expect(c->next < c->limit, 1) || ct_column_turn(c, heap);
}

/* HOT: where the next slice's payload goes, when it has no more than `size` bytes; NULL: heap->error. */
static inline uint8_t *ct_column_room(struct ct_column *c, struct ct_heap *heap, size_t size)
{
    if (!ct_column_ready(c, heap))
        return NULL;
    if (__builtin_expect(c->room - c->used < size, 0) && !ct_column_payload_grow(c, size)) {
        ct_heap_fail(heap, -ENOMEM);
        return NULL;
    }
    ct_expect_store((uintptr_t)c->bytes + c->used + 128);
    return c->bytes + c->used;
}

/*
 * HOT: Appends a slice, for which there is room, with `size` bytes of payload that were written already; it starts at or
 * after the end of the one before unless the column is loose.
 */
static inline void ct_column_push(struct ct_column *c, int64_t start, int64_t end, uint32_t name, size_t size)
{
    enum { AHEAD = 4 };                 /* slices: a chunk was the coder's before */
    struct ct_raw *raw = c->next++;

    ct_expect_store((uintptr_t)raw + AHEAD * sizeof *raw);
    raw->start = start;
    raw->dur = end - start;
    raw->name = name;
    raw->size = (uint32_t)size;
    c->end = end;
    c->used += size;
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
 * Moves the last slices of `from`, those that start at `start` or later, to the end of `to`.  They must all be held;
 * ct_column_tail says how many they are, or -1 when some are coded already.
 */
int ct_column_tail(const struct ct_column *from, int64_t start);
bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count);

/* All that is held becomes leaves: nothing more comes. */
bool ct_column_finish(struct ct_column *column, struct ct_heap *heap);
