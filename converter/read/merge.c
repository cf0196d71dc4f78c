/* Building the tree of losers; what runs at every event is in the header. */
#include "converter/read/merge.h"

void ct_merge_fini(struct ct_merge *merge)
{
    ct_list_fini(&merge->streams);
    ct_list_fini(&merge->ns);
    ct_list_fini(&merge->losers);
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

static int make_room(struct ct_merge *merge)
{
    merge->ns.count = merge->losers.count = 0;
    for (size_t i = 0; i < merge->streams.count; i++) {
        int64_t *ns = ct_list_add(&merge->ns);
        uint32_t *loser = ct_list_add(&merge->losers);

        if (!ns || !loser)
            return -ENOMEM;
        *ns = merge->streams.items[i]->ns;
    }
    return 0;
}

/* Plays the match of an inner node, children first: its winner. */
static uint32_t play(struct ct_merge *merge, size_t node)
{
    size_t count = merge->streams.count;
    uint32_t left, right;
    bool swap;

    if (node >= count)
        return (uint32_t)(node - count);
    left = play(merge, 2 * node);
    right = play(merge, 2 * node + 1);
    swap = merge->ns.items[right] < merge->ns.items[left] + (right < left);
    merge->losers.items[node] = swap ? left : right;
    return swap ? right : left;
}

int ct_merge_ready(struct ct_merge *merge)
{
    if (!merge->stale)
        return 0;
    forget_ended(merge);
    if (make_room(merge) < 0)
        return -ENOMEM;
    if (merge->streams.count)
        merge->losers.items[0] = play(merge, 1);
    merge->stale = false;
    return 0;
}

void ct_merge_drop(struct ct_merge *merge)
{
    merge->streams.items[merge->losers.items[0]] = NULL;
    merge->live--;
    ct_merge_moved(merge, CT_MERGE_ENDED);
}
