/* Leaves and sums, appended to the heap as they fill. */
#include "converter/index/tree.h"

#include <errno.h>
#include <stdlib.h>

void ct_tree_fini(struct ct_tree *t)
{
    for (unsigned i = 0; i < CT_TREE_LEVELS; i++)
        free(t->edge[i]);
    if (t->folds)
        ct_folds_fini(t->folds);
    free(t->folds);
}

/* Hands a sum to the edge; a full edge becomes a node and a sum one level up. */
static bool add_sum(struct ct_tree *t, struct ct_heap *heap, const struct ct_sum *sum, unsigned level)
{
    struct ct_edge *e;

    if (level == CT_TREE_LEVELS) {
        heap->error = -EFBIG;
        return false;
    }
    e = t->edge[level];
    if (!e) {
        e = t->edge[level] = malloc(sizeof *e);
        if (!e) {
            heap->error = -ENOMEM;
            return false;
        }
        e->count = 0;
        t->levels = level + 1;
    }
    if (e->count == CT_FAN) {
        struct ct_sum node = { 0 };
        uint64_t at = ct_heap_put(heap, e->sum, sizeof e->sum);

        for (unsigned i = 0; i < CT_FAN; i++)
            ct_sum_add(&node, &e->sum[i], t->values);
        node.at = at & CT_AT_MAX;
        e->count = 0;
        if (at == UINT64_MAX || !add_sum(t, heap, &node, level + 1))
            return false;
    }
    e->sum[e->count++] = *sum;
    return true;
}

/* The slices or values that are being coded are folded, where folds are worth it. */
static bool fold(struct ct_tree *t, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, struct ct_sum *sum)
{
    uint32_t first = t->count;

    if (!t->folds && first >= CT_TREE_FOLDS_FROM && first % (CT_FAN * CT_LEAF) == 0 && t->edge[0]->count == CT_FAN) {
        const struct ct_sum *sums = t->edge[0]->sum;

        t->folds = calloc(1, sizeof *t->folds);
        if (!t->folds || !ct_folds_begin(t->folds, t->values, ct_folds_level_of(sums[CT_FAN - 1].end - sums[0].start, CT_FAN * CT_LEAF))) {
            heap->error = -ENOMEM;
            return false;
        }
    } else if (t->folds && first % (CT_FAN * CT_LEAF) == 0 && !ct_folds_look(t->folds, heap, CT_FAN * CT_LEAF)) {
        return false;
    }
    if (!t->folds)
        return true;
    sum->step = (uint8_t)(2 * t->folds->finest);
    return ct_folds_add(t->folds, heap, raw, count, first);
}

bool ct_tree_add(struct ct_tree *t, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, const uint8_t *payload,
                 size_t payload_size)
{
    uint8_t *to = ct_heap_room(heap, ct_leaf_room(count, payload_size));
    struct ct_sum sum;
    size_t size;

    if (!to)
        return false;
    if (t->values)
        size = ct_leaf_values(to, raw, count, &sum);
    else
        size = ct_leaf_slices(to, raw, count, payload, t->loose, &sum);
    if (size > CT_LEAF_SIZE_MAX || heap->used > CT_AT_MAX || t->count > UINT32_MAX - 4 * CT_LEAF) {
        heap->error = -EFBIG;
        return false;
    }
    sum.at = heap->used & CT_AT_MAX;
    ct_heap_take(heap, size);
    if (!t->loose && !fold(t, heap, raw, count, &sum))
        return false;
    t->count += count;
    return add_sum(t, heap, &sum, 0);
}

bool ct_tree_finish(struct ct_tree *t, struct ct_heap *heap)
{
    return !t->folds || ct_folds_finish(t->folds, heap);
}
