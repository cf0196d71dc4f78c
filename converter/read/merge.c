/*
 * HOT: runs at every event.
 *   budget   one comparison while the same thread goes on, log2(threads) otherwise
 *   never    takes a branch on which of two threads is first
 */
#include "converter/read/merge.h"

/* Without a branch: which of two threads comes next is nothing that a processor could guess. */
static inline bool before(const struct ct_merge_node *x, const struct ct_merge_node *y)
{
    __int128 a = (__int128)x->ns * ((__int128)1 << 64) + x->rank, b = (__int128)y->ns * ((__int128)1 << 64) + y->rank;

    return a < b;
}

static void sink(struct ct_merge *merge, size_t i)
{
    struct ct_merge_node *heap = merge->heap.items, node = heap[i];
    size_t count = merge->heap.count;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= count)
            break;
        if (child + 1 < count)
            child += before(&heap[child + 1], &heap[child]);
        if (!before(&heap[child], &node))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = node;
}

int ct_merge_add(struct ct_merge *merge, struct ct_stream *stream, int64_t ns)
{
    struct ct_merge_node *heap = ct_list_add(&merge->heap), node = { ns, stream->rank, stream };
    size_t i = merge->heap.count - 1;

    if (!heap)
        return -ENOMEM;
    heap = merge->heap.items;
    while (i && before(&node, &heap[(i - 1) / 2])) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = node;
    return 0;
}

void ct_merge_moved(struct ct_merge *merge, int64_t ns)
{
    merge->heap.items[0].ns = ns;
    sink(merge, 0);
}

void ct_merge_drop(struct ct_merge *merge)
{
    merge->heap.items[0] = merge->heap.items[--merge->heap.count];
    if (merge->heap.count)
        sink(merge, 0);
}
