/*
 * HOT: runs at every event.
 *   budget   one comparison while the same thread goes on, log2(threads) otherwise
 *   never    compares more than two numbers unless two events have the same time
 */
#include "converter/read/merge.h"

#include "converter/read/generation.h"

/* At the same time: by program, generation, thread, handler; so that the order is a property of the trace alone. */
static bool tie_before(const struct ct_stream *x, const struct ct_stream *y)
{
    if (x->loaded->program != y->loaded->program)
        return x->loaded->pub.program->index < y->loaded->pub.program->index;
    if (x->loaded != y->loaded)
        return x->loaded->pub.number < y->loaded->pub.number;
    if (x->thread != y->thread)
        return x->thread->serial < y->thread->serial;
    return x->nested < y->nested;
}

static inline bool before(const struct ct_merge_node *x, const struct ct_merge_node *y)
{
    return x->ns < y->ns || (__builtin_expect(x->ns == y->ns, 0) && tie_before(x->stream, y->stream));
}

static void sink(struct ct_merge *merge, size_t i)
{
    struct ct_merge_node *heap = merge->heap.items, node = heap[i];
    size_t count = merge->heap.count;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= count)
            break;
        if (child + 1 < count && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &node))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = node;
}

int ct_merge_add(struct ct_merge *merge, struct ct_stream *stream, int64_t ns)
{
    struct ct_merge_node *heap = ct_list_add(&merge->heap), node = { ns, stream };
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
