/* Sealing from the left, holding back enough at the right that what turns out to lie within another slice can move. */
#include "converter/index/column.h"

#include <errno.h>
#include <stdlib.h>

void ct_column_fini(struct ct_column *c)
{
    for (unsigned i = 0; i < CT_TREE_LEVELS; i++)
        free(c->edge[i]);
    if (c->folds)
        ct_folds_fini(c->folds);
    free(c->folds);
    free(c->payload);
}

bool ct_column_payload_grow(struct ct_column *c, size_t size)
{
    size_t held = c->payload_used - c->payload_from, room = c->payload_room ? c->payload_room : 256;
    uint8_t *more;

    while (room < 2 * (held + size + CT_COLUMN_SHORT))  /* so that what is held moves once for each time it is filled */
        room *= 2;
    more = c->payload;
    if (room != c->payload_room) {
        more = malloc(room);
        if (!more)
            return false;
    }
    if (held)
        memmove(more, c->payload + c->payload_from, held);
    if (more != c->payload)
        free(c->payload);
    c->payload = more;
    c->payload_room = room;
    c->payload_from = 0;
    c->payload_used = held;
    return true;
}

/* Hands a sum to the edge; a full edge becomes a node and a sum one level up. */
static bool add_sum(struct ct_column *c, struct ct_heap *heap, const struct ct_sum *sum, unsigned level)
{
    struct ct_edge *e;

    if (level == CT_TREE_LEVELS) {
        heap->error = -EFBIG;
        return false;
    }
    e = c->edge[level];
    if (!e) {
        e = c->edge[level] = malloc(sizeof *e);
        if (!e) {
            heap->error = -ENOMEM;
            return false;
        }
        e->count = 0;
        c->levels = level + 1;
    }
    if (e->count == CT_FAN) {
        struct ct_sum node = { 0 };
        uint64_t at = ct_heap_put(heap, e->sum, sizeof e->sum);

        for (unsigned i = 0; i < CT_FAN; i++)
            ct_sum_add(&node, &e->sum[i], c->values);
        node.at = at & CT_AT_MAX;
        e->count = 0;
        if (at == UINT64_MAX || !add_sum(c, heap, &node, level + 1))
            return false;
    }
    e->sum[e->count++] = *sum;
    return true;
}

/* Slices [from, from + count) of raw are about to be coded: they are folded, where folds are worth it. */
static bool fold(struct ct_column *c, struct ct_heap *heap, unsigned from, unsigned count, struct ct_sum *sum)
{
    uint32_t first = c->count - c->held;

    if (!c->folds && first >= CT_COLUMN_FOLDS_FROM && first % (CT_FAN * CT_LEAF) == 0 && c->edge[0]->count == CT_FAN) {
        const struct ct_sum *sums = c->edge[0]->sum;

        c->folds = calloc(1, sizeof *c->folds);
        if (!c->folds || !ct_folds_begin(c->folds, ct_folds_level_of(sums[CT_FAN - 1].end - sums[0].start, CT_FAN * CT_LEAF))) {
            heap->error = -ENOMEM;
            return false;
        }
    } else if (c->folds && first % (CT_FAN * CT_LEAF) == 0 && !ct_folds_look(c->folds, heap, CT_FAN * CT_LEAF)) {
        return false;
    }
    if (!c->folds)
        return true;
    sum->step = (uint8_t)(2 * c->folds->finest);
    return ct_folds_add(c->folds, heap, &c->raw, from, count, first);
}

/* Codes the first `count` in raw: not round its end. */
static bool seal(struct ct_column *c, struct ct_heap *heap, unsigned count)
{
    unsigned from = c->raw_from;
    size_t payload = 0;
    struct ct_sum sum;
    uint8_t *to;
    size_t size;

    if (c->count > UINT32_MAX - 4 * CT_LEAF) {
        heap->error = -EFBIG;
        return false;
    }
    for (unsigned i = from; i < from + count; i++)
        payload += c->raw.size[i];
    to = ct_heap_room(heap, ct_leaf_room(count, payload));
    if (!to)
        return false;
    if (c->values)
        size = ct_leaf_values(to, &c->raw, from, count, &sum);
    else
        size = ct_leaf_slices(to, &c->raw, from, count, c->payload + c->payload_from, c->loose, &sum);
    if (size > CT_LEAF_SIZE_MAX || heap->used > CT_AT_MAX) {
        heap->error = -EFBIG;
        return false;
    }
    sum.at = heap->used & CT_AT_MAX;
    ct_heap_take(heap, size);
    if (!c->values && !c->loose && !fold(c, heap, from, count, &sum))
        return false;
    if (c->count == c->held || sum.end > c->sealed_end)
        c->sealed_end = sum.end;
    c->held -= count;
    c->raw_from ^= CT_LEAF;
    c->payload_from += payload;
    return add_sum(c, heap, &sum, 0);
}

bool ct_column_seal(struct ct_column *c, struct ct_heap *heap)
{
    return seal(c, heap, CT_LEAF);
}

bool ct_column_add_value(struct ct_column *c, struct ct_heap *heap, int64_t ns, double value)
{
    unsigned at;

    if (c->held == 2 * CT_LEAF && !seal(c, heap, CT_LEAF))
        return false;
    at = ct_column_at(c, c->held);
    c->raw.start[at] = ns;
    c->raw.value[at] = value;
    c->raw.name[at] = c->raw.size[at] = 0;
    c->held++;
    c->count++;
    return true;
}

int ct_column_tail(const struct ct_column *from, int64_t start)
{
    unsigned count = 0;

    while (count < from->held && from->raw.start[ct_column_at(from, from->held - 1 - count)] >= start)
        count++;
    return count == from->held && count < from->count && from->sealed_end > start ? -1 : (int)count;
}

bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count)
{
    unsigned first = from->held - count;
    size_t payload = 0, at;

    for (unsigned i = first; i < from->held; i++)
        payload += from->raw.size[ct_column_at(from, i)];
    at = from->payload_used - payload;
    for (unsigned i = first; i < from->held; i++) {
        unsigned k = ct_column_at(from, i);
        int64_t start = from->raw.start[k], end = start + from->raw.dur[k], last = ct_column_end(to, INT64_MIN);

        start = start < last ? last : start;
        end = end < start ? start : end;
        if (!ct_column_add(to, heap, start, end, from->raw.name[k], from->payload + at, from->raw.size[k]))
            return false;
        at += from->raw.size[k];
    }
    from->held -= count;
    from->count -= count;
    from->payload_used -= payload;
    return true;
}

bool ct_column_finish(struct ct_column *c, struct ct_heap *heap)
{
    while (c->held > 0)
        if (!seal(c, heap, c->held < CT_LEAF ? c->held : CT_LEAF))
            return false;
    return !c->folds || ct_folds_finish(c->folds, heap);
}
