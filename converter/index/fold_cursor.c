/* Of a level there are leaves, then folds that are not coded yet, then those under way: of the level, and of those below. */
#include "converter/index/fold_cursor.h"

static bool find_level(struct ct_fold_cursor *c, unsigned level)
{
    const struct ct_strip *s = c->strip;

    if (s->folds) {
        for (c->level = level; c->level > 0 && !s->folds->level[c->level]; c->level--) {}
        if (!s->folds->level[c->level])
            return false;
        c->leaves = s->folds->level[c->level]->leaves.items;
        c->leaf_count = s->folds->level[c->level]->leaves.count;
        c->open = c->level + 2;
        return true;
    }
    for (unsigned i = s->fold_level_count; i-- > 0;)
        if (s->fold_levels[i].level <= level) {
            c->level = s->fold_levels[i].level;
            c->leaves = s->fold_leaves + s->fold_levels[i].first;
            c->leaf_count = s->fold_levels[i].count;
            return true;
        }
    return false;
}

bool ct_fold_cursor_at(struct ct_fold_cursor *c, const struct ct_strip *strip, unsigned level, int64_t ns)
{
    size_t low = 0, high;

    c->strip = strip;
    c->next = c->count = c->open = 0;
    c->damaged = false;
    if (!find_level(c, level / 2 < CT_FOLD_LEVELS ? level / 2 : CT_FOLD_LEVELS - 1))
        return false;
    high = c->leaf_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->leaves[middle].start <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    c->leaf = low ? low - 1 : 0;
    return true;
}

static bool read_leaf(struct ct_fold_cursor *c)
{
    const struct ct_fold_leaf *leaf = &c->leaves[c->leaf++];
    bool (*read)(const uint8_t *, const struct ct_fold_leaf *, unsigned, struct ct_fold *) =
        c->strip->values ? ct_fold_values_read : ct_fold_leaf_read;

    if (!ct_strip_has(c->strip, leaf->at, leaf->size) || !read(c->strip->base.bytes + leaf->at, leaf, c->level, c->read)) {
        c->damaged = true;
        return false;
    }
    c->fold = c->read;
    c->next = 0;
    c->count = leaf->count;
    return true;
}

bool ct_fold_cursor_more(struct ct_fold_cursor *c)
{
    const struct ct_folds *f = c->strip->folds;

    if (c->damaged)
        return false;
    if (c->leaf < c->leaf_count)
        return read_leaf(c);
    while (f && c->open > 0) {
        unsigned stage = c->open--;     /* level + 2: its raw ones; then those under way, down to that of level 0 */
        const struct ct_fold_level *l = f->level[stage > c->level ? c->level : stage - 1];

        c->next = 0;
        c->fold = stage == c->level + 2 ? l->raw : l ? &l->open : NULL;
        c->count = stage == c->level + 2 ? l->held : l && l->open.count;
        if (c->count > 0)
            return true;
    }
    return false;
}
