/* Building a tree of losers; what runs at every event is in the header. */
#include "converter/read/losers.h"

#include <stdbool.h>

void ct_losers_fini(struct ct_losers *tree)
{
    ct_list_fini(&tree->ns);
    ct_list_fini(&tree->losers);
}

void ct_losers_clear(struct ct_losers *tree)
{
    tree->ns.count = tree->losers.count = 0;
}

int ct_losers_add(struct ct_losers *tree, int64_t ns)
{
    int64_t *place = ct_list_add(&tree->ns);
    uint32_t *loser = ct_list_add(&tree->losers);

    if (!place || !loser)
        return -ENOMEM;
    *place = ns;
    return 0;
}

/* Plays the match of an inner node, children first: its winner. */
static uint32_t play(struct ct_losers *tree, size_t node)
{
    size_t count = tree->losers.count;
    uint32_t left, right;
    bool swap;

    if (node >= count)
        return (uint32_t)(node - count);
    left = play(tree, 2 * node);
    right = play(tree, 2 * node + 1);
    swap = tree->ns.items[right] < tree->ns.items[left] + (right < left);
    tree->losers.items[node] = swap ? left : right;
    return swap ? right : left;
}

void ct_losers_play(struct ct_losers *tree)
{
    if (tree->losers.count)
        tree->losers.items[0] = play(tree, 1);
}
