/* Streams come and go; what runs at every event is in the header. */
#include "converter/read/merge.h"

void ct_merge_fini(struct ct_merge *merge)
{
    ct_list_fini(&merge->streams);
    ct_losers_fini(&merge->tree);
    merge->live = 0;
}

int ct_merge_add(struct ct_merge *merge, struct ct_stream *stream)
{
    struct ct_stream **place = ct_list_add(&merge->streams);

    if (!place)
        return -ENOMEM;
    *place = stream;
    merge->live++;
    merge->stale = true;
    return 0;
}

static int by_rank(const void *a, const void *b)
{
    const struct ct_stream *x = *(struct ct_stream *const *)a, *y = *(struct ct_stream *const *)b;

    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Streams that ended lose against all others, and go when the tree is built anew. */
static void forget_ended(struct ct_merge *merge)
{
    size_t kept = 0;

    for (size_t i = 0; i < merge->streams.count; i++)
        if (merge->streams.items[i])
            merge->streams.items[kept++] = merge->streams.items[i];
    merge->streams.count = kept;
    if (kept)
        qsort(merge->streams.items, kept, sizeof *merge->streams.items, by_rank);
}

int ct_merge_ready(struct ct_merge *merge)
{
    if (!merge->stale)
        return 0;
    forget_ended(merge);
    ct_losers_clear(&merge->tree);
    for (size_t i = 0; i < merge->streams.count; i++)
        if (ct_losers_add(&merge->tree, merge->streams.items[i]->ns) < 0)
            return -ENOMEM;
    ct_losers_play(&merge->tree);
    merge->stale = false;
    return 0;
}

void ct_merge_drop(struct ct_merge *merge)
{
    merge->streams.items[ct_losers_first(&merge->tree)] = NULL;
    merge->live--;
    ct_merge_moved(merge, CT_LOSERS_ENDED);
}
