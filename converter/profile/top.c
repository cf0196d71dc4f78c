/* The functions of a tree of calls as a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/profile/flame.h"
#include "converter/profile/sample.h"

/* A walk through the tree: children by their parents, and how often each function is entered and not left. */
struct walk {
    const struct ct_flame *flame;
    struct ct_top_row *rows;
    uint32_t *child, *sibling;          /* by node; 0: there is none */
    uint32_t *entered;                  /* by frame */
};

static int walk_init(struct walk *w, const struct ct_flame *flame, struct ct_top_row *rows)
{
    *w = (struct walk){ flame, rows, calloc(flame->node_count, sizeof *w->child), calloc(flame->node_count, sizeof *w->sibling),
                        calloc((size_t)flame->frame_count + 1, sizeof *w->entered) };
    if (!w->child || !w->sibling || !w->entered)
        return -ENOMEM;
    for (uint32_t i = flame->node_count; i-- > 1;) {
        w->sibling[i] = w->child[flame->nodes[i].parent];
        w->child[flame->nodes[i].parent] = i;
    }
    return 0;
}

static void walk_fini(struct walk *w)
{
    free(w->child);
    free(w->sibling);
    free(w->entered);
}

/* A function that calls itself counts once. */
static void enter(struct walk *w, uint32_t number)
{
    const struct ct_flame_node *node = &w->flame->nodes[number];
    struct ct_top_row *row = &w->rows[node->frame];

    row->flat = ct_profile_sum(row->flat, node->self);
    row->base_flat = ct_profile_sum(row->base_flat, node->base_self);
    if (w->entered[node->frame]++ == 0) {
        row->cum = ct_profile_sum(row->cum, node->total);
        row->base_cum = ct_profile_sum(row->base_cum, node->base_total);
    }
}

static void walk(struct walk *w)
{
    const struct ct_flame_node *nodes = w->flame->nodes;
    uint32_t at = w->child[0];

    while (at) {
        enter(w, at);
        if (w->child[at]) {
            at = w->child[at];
            continue;
        }
        while (at && !w->sibling[at]) {
            w->entered[nodes[at].frame]--;
            at = nodes[at].parent;
        }
        if (at) {
            w->entered[nodes[at].frame]--;
            at = w->sibling[at];
        }
    }
}

static uint64_t size_of_difference(int64_t now, int64_t base)
{
    return now > base ? (uint64_t)now - (uint64_t)base : (uint64_t)base - (uint64_t)now;
}

static int compare(const void *left, const void *right)
{
    const struct ct_top_row *a = left, *b = right;
    uint64_t flat[] = { size_of_difference(a->flat, a->base_flat), size_of_difference(b->flat, b->base_flat) };
    uint64_t cum[] = { size_of_difference(a->cum, a->base_cum), size_of_difference(b->cum, b->base_cum) };

    if (flat[0] != flat[1])
        return flat[0] > flat[1] ? -1 : 1;
    if (cum[0] != cum[1])
        return cum[0] > cum[1] ? -1 : 1;
    return a->frame < b->frame ? -1 : a->frame > b->frame;
}

int ct_flame_top(const struct ct_flame *flame, struct ct_top_row **ret)
{
    struct ct_top_row *rows = calloc((size_t)flame->frame_count + 1, sizeof *rows);
    struct walk w;
    int r;

    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < flame->frame_count; i++)
        rows[i].frame = i;
    r = walk_init(&w, flame, rows);
    if (r == 0) {
        walk(&w);
        qsort(rows, flame->frame_count, sizeof *rows, compare);
        *ret = rows;
    } else {
        free(rows);
    }
    walk_fini(&w);
    return r;
}
