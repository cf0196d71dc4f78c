/* Tiles: what a row shows at one zoom.  HOT: a view asks for hundreds of rows. */
#include <errno.h>
#include <string.h>

#include "converter/index/fold_cursor.h"
#include "converter/index/glance.h"
#include "converter/index/store.h"

struct tile {
    struct ct_index_tile *ret;
    const struct ct_store *store;
    unsigned level;
    int64_t from, to;                   /* ns */
    int64_t first_step;
    int64_t fold;                       /* the step that the fold under way is of; -1: there is none */
    int64_t fold_longest;
    uint64_t fold_count, fold_busy;
    uint32_t fold_slice, fold_name;
    bool has_folds;                     /* of steps no longer than the tile's */
    struct ct_fold_cursor folds;
    uint64_t folded;                    /* values: those before this number are in the tile, by their folds */
    bool held;                          /* values: one that held when the tile began is known */
    double before;
};

/* --- slices --- */

static void put(struct tile *t, uint32_t name, uint32_t slice, uint64_t count, int64_t start, int64_t len, unsigned busy)
{
    struct ct_index_tile *r = t->ret;
    unsigned at = r->count;

    if (at == CT_TILE_ENTRIES)
        return;
    r->name[at] = name;
    r->slice[at] = slice;
    r->entries[at] = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
    r->start[at] = (uint16_t)start;
    r->len[at] = (uint16_t)len;
    r->class[at] = ct_store_name(t->store, name)->class;
    r->busy[at] = (uint8_t)busy;
    r->count++;
}

static void end_fold(struct tile *t)
{
    uint64_t busy;

    if (t->fold < 0)
        return;
    busy = t->fold_busy >> t->level ? 255 : t->fold_busy * 255 >> t->level;     /* a level is 52 at most */
    put(t, t->fold_name, t->fold_slice, t->fold_count, t->fold - t->first_step, 1, (unsigned)busy);
    t->fold = -1;
}

/* Slices shorter than a step that all start in `step`. */
static void add_fold(struct tile *t, int64_t step, uint64_t count, uint64_t busy, int64_t longest, uint32_t slice, uint32_t name)
{
    if (t->fold != step) {
        end_fold(t);
        t->fold = step;
        t->fold_count = 0;
        t->fold_busy = 0;
        t->fold_longest = -1;
    }
    t->fold_count += count;
    t->fold_busy += busy;
    if (longest > t->fold_longest) {
        t->fold_longest = longest;
        t->fold_slice = slice;
        t->fold_name = name;
    }
}

static void add_long(struct tile *t, uint32_t name, uint32_t slice, int64_t start, int64_t end)
{
    int64_t from = (start >> t->level) - t->first_step, to = (end >> t->level) - t->first_step;

    if (to <= 0 || from >= CT_TILE_STEPS)
        return;
    if (from < 0)
        from = 0;
    if (to > CT_TILE_STEPS)
        to = CT_TILE_STEPS;
    if (t->fold >= 0 && t->fold - t->first_step <= from)
        end_fold(t);
    put(t, name, slice, 1, from, to - from, 255);
}

/* The slices before number `end` are in the folds, from where those were read to. */
static void add_folds(struct tile *t, uint64_t end)
{
    struct ct_fold_cursor *c = &t->folds;
    int64_t limit = INT64_C(1) << t->level;

    while (c->next < c->count || ct_fold_cursor_more(c)) {
        const struct ct_fold *f = &c->fold[c->next];

        if (f->first >= end || f->start >= t->to)
            return;
        c->next++;
        if (f->longest >= limit) {
            if (f->start + f->longest >= t->from)
                add_long(t, f->name, f->slice, f->start, f->start + f->longest);
        } else if (f->start >= t->from) {
            add_fold(t, f->start >> t->level, f->count, (uint64_t)f->busy, f->longest, f->slice, f->name);
        }
    }
}

static enum ct_walk node(void *context, const struct ct_sum *s, uint32_t first)
{
    struct tile *t = context;

    if (s->end < t->from)
        return CT_WALK_OVER;
    if (s->start >= t->to)
        return CT_WALK_END;
    if (!t->has_folds || s->step > ct_fold_cursor_step(&t->folds))
        return CT_WALK_IN;
    add_folds(t, (uint64_t)first + s->count);
    return CT_WALK_OVER;
}

/* One pass over slices that are all shorter than a step and begin in the tile: most of what a tile looks at. */
static bool short_leaf(struct tile *t, const struct ct_leaf *l, uint32_t first)
{
    uint64_t gap[CT_LEAF], dur[CT_LEAF], busy = 0;
    int64_t start = l->base, end = INT64_MIN, longest = -1;
    unsigned from = 0, at = 0;

    ct_bits_all(l->gap, l->gap_width, l->count, gap);
    ct_bits_all(l->dur, l->dur_width, l->count, dur);
    for (unsigned i = 0; i < l->count; i++) {
        int64_t its = (int64_t)dur[i];

        start += (int64_t)gap[i];
        if (start >= end) {
            if (i > from)
                add_fold(t, (end - 1) >> t->level, i - from, busy, longest, first + at, ct_leaf_name(l, at));
            if (start >= t->to)
                return false;
            end = ((start >> t->level) + 1) << t->level;
            from = i;
            busy = 0;
            longest = -1;
        }
        busy += dur[i];
        at = its > longest ? i : at;
        longest = its > longest ? its : longest;
        start += its;
    }
    add_fold(t, (end - 1) >> t->level, l->count - from, busy, longest, first + at, ct_leaf_name(l, at));
    return true;
}

static bool leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    struct tile *t = context;
    int64_t start[CT_LEAF], dur[CT_LEAF], limit = INT64_C(1) << t->level;

    if (l->dur_width <= t->level && l->base >= t->from && !l->loose)
        return short_leaf(t, l, first);
    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++) {
        if (start[i] >= t->to)
            return false;
        if (dur[i] >= limit && start[i] + dur[i] >= t->from)
            add_long(t, ct_leaf_name(l, i), first + i, start[i], start[i] + dur[i]);
        else if (dur[i] < limit && start[i] >= t->from)
            add_fold(t, start[i] >> t->level, 1, (uint64_t)dur[i], dur[i], first + i, ct_leaf_name(l, i));
    }
    return true;
}

/* --- values --- */

static void put_value(struct tile *t, int64_t step, double min, double max, double last)
{
    struct ct_index_tile *r = t->ret;
    int64_t start = step - t->first_step;

    if (r->count == 0 && t->held) {
        r->min[0] = r->max[0] = r->last[0] = t->before;
        r->start[0] = 0;
        r->count = 1;
    }
    if (r->count > 0 && r->start[r->count - 1] == start) {
        unsigned at = r->count - 1u;

        r->min[at] = min < r->min[at] ? min : r->min[at];
        r->max[at] = max > r->max[at] ? max : r->max[at];
        r->last[at] = last;
    } else if (r->count < CT_TILE_STEPS) {
        r->min[r->count] = min;
        r->max[r->count] = max;
        r->last[r->count] = last;
        r->start[r->count] = (uint16_t)start;
        r->count++;
    }
}

/* Values [first, end) are in the folds, from where those were read to; some of them may be in the tile already, by their sums. */
static void add_value_folds(struct tile *t, uint64_t first, uint64_t end)
{
    struct ct_fold_cursor *c = &t->folds;

    while (c->next < c->count || ct_fold_cursor_more(c)) {
        const struct ct_fold *f = &c->fold[c->next];

        if (f->first >= end || f->start >= t->to)
            return;
        c->next++;
        if ((uint64_t)f->first + f->count <= first)
            continue;
        t->folded = (uint64_t)f->first + f->count;
        if (f->start < t->from) {
            t->held = true;
            t->before = f->last;
        } else {
            put_value(t, f->start >> t->level, f->min, f->max, f->last);
        }
    }
}

static enum ct_walk value_node(void *context, const struct ct_sum *s, uint32_t first)
{
    struct tile *t = context;

    if (s->start >= t->to)
        return CT_WALK_END;
    if ((uint64_t)first + s->count <= t->folded)
        return CT_WALK_OVER;
    if (s->end < t->from) {
        t->held = true;
        t->before = s->values.last;
        return CT_WALK_OVER;
    }
    if (s->start >> t->level == s->end >> t->level) {
        put_value(t, s->start >> t->level, s->values.min, s->values.max, s->values.last);
        return CT_WALK_OVER;
    }
    if (!t->has_folds || s->step > ct_fold_cursor_step(&t->folds))
        return CT_WALK_IN;
    add_value_folds(t, first, (uint64_t)first + s->count);
    return CT_WALK_OVER;
}

/* One call a step: what it holds of a leaf is gathered where the compiler keeps it in registers. */
static bool value_leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    double value[CT_LEAF];
    int64_t ns[CT_LEAF];
    struct tile *t = context;
    unsigned i = 0;

    ct_leaf_all_values(l, ns, value);
    for (; i < l->count && ns[i] < t->from; i++) {
        t->held = true;
        t->before = value[i];
    }
    while (i < l->count && ns[i] < t->to) {
        int64_t step = ns[i] >> t->level, end = (step + 1) << t->level;
        double min = value[i], max = min, last = min;

        for (i++; i < l->count && ns[i] < end; i++) {
            last = value[i];
            min = last < min ? last : min;
            max = last > max ? last : max;
        }
        put_value(t, step, min, max, last);
    }
    return i == l->count;
}

static void end_values(struct tile *t)
{
    struct ct_index_tile *r = t->ret;

    if (r->count > 0 || !t->held)
        return;
    r->min[0] = r->max[0] = r->last[0] = t->before;
    r->start[0] = 0;
    r->count = 1;
}

/* --- both --- */

static int fill(struct tile *t, const struct ct_strip *strip)
{
    struct ct_walker walker = { node, leaf, t };
    int r;

    t->has_folds = ct_fold_cursor_at(&t->folds, strip, t->level, strip->values ? t->from - 1 : t->from);    /* what held before it */
    if (strip->values)
        walker = (struct ct_walker){ value_node, value_leaf, t };
    r = ct_strip_walk(strip, &walker);
    if (r == 0 && t->has_folds && t->folds.damaged)
        r = -EBADMSG;
    if (r < 0)
        return r;
    if (strip->values)
        end_values(t);
    else
        end_fold(t);
    return 0;
}

/* A row of the tables of `store`. */
static int fill_row(struct tile *t, const struct ct_store *store, uint32_t row)
{
    struct ct_strip strip;
    int r = ct_store_strip(store, row, &strip);

    t->store = store;
    if (r < 0)
        return r;
    t->ret->kind = ct_store_row(store, row)->kind;
    r = fill(t, &strip);
    ct_strip_fini(&strip);
    return r;
}

/* The same of a part that is not indexed yet, where somebody has looked: its slices will have other numbers. */
static int fill_glance(struct tile *t, const struct ct_store *store, uint32_t row, struct ct_glance *glance)
{
    uint32_t its = ct_glance_row(glance, row);
    int r;

    if (its == CT_INDEX_NONE)
        return fill_row(t, store, row);
    r = fill_row(t, ct_glance_store(glance), its);
    for (unsigned i = 0; r == 0 && t->ret->kind != CT_ROW_VALUE && i < t->ret->count; i++) {
        t->ret->name[i] = ct_glance_name(glance, t->ret->name[i]);
        t->ret->slice[i] |= CT_INDEX_EARLY;
    }
    return r;
}

int ct_index_tile(struct ct_index *index, uint32_t row, unsigned level, uint64_t number, struct ct_index_tile *ret)
{
    struct ct_glance *glance = NULL;
    struct ct_store store;
    struct tile t;
    int r;

    if (level > CT_TILE_LEVEL_MAX || number >= UINT64_C(1) << (CT_TILE_LEVEL_MAX - level))
        return -EINVAL;
    t.ret = ret;                        /* field by field: zeroing all of it costs as much as a tile with little in it */
    t.level = level;
    t.fold = -1;
    t.has_folds = t.held = false;
    t.folded = 0;
    t.first_step = (int64_t)(number * CT_TILE_STEPS);
    t.from = t.first_step << level;
    t.to = (t.first_step + CT_TILE_STEPS) << level;
    r = ct_index_begin(index, &store);
    if (r < 0)
        return r;
    ret->count = 0;
    ret->partial = !store.ready && (row >= store.row_count || t.to > store.live[row]->column.sealed_end);
    if (ret->partial)
        glance = ct_index_glance(index, t.from, t.to);
    r = row >= store.row_count ? -ENOENT : glance ? fill_glance(&t, &store, row, glance) : fill_row(&t, &store, row);
    ct_index_end(index, &store);
    return r;
}
