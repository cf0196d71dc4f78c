/* Reading a tree from its right edge: the levels from the top, each with the nodes that are behind those above. */
#include "converter/index/strip.h"

#include <errno.h>
#include <stdlib.h>

/* Leaves that are in no file stand in `scratch`; so says the sum. */
#define TIME_MAX (INT64_C(1) << 53)

enum { AHEAD = 3 };                     /* leaves */

static int code_tail(struct ct_strip *s, const struct ct_column *c, unsigned *count)
{
    const struct ct_chunk *chunk[] = { c->before, c->now };
    const unsigned filled[] = { c->before ? CT_LEAF : 0, ct_column_filled(c) };

    s->scratch = malloc(2 * ct_leaf_room(CT_LEAF, 0) + (c->before ? c->before->used : 0) + c->used + CT_HEAP_SLACK);
    if (!s->scratch)
        return -ENOMEM;
    for (unsigned i = 0; i < 2; i++) {
        struct ct_sum *sum = &s->tail[*count];

        if (filled[i] == 0)
            continue;
        if (c->tree.values)
            ct_leaf_values(s->scratch + s->scratch_size, chunk[i]->raw, filled[i], sum);
        else
            ct_leaf_slices(s->scratch + s->scratch_size, chunk[i]->raw, filled[i], chunk[i]->bytes, c->tree.loose, sum);
        sum->at = s->scratch_size & CT_AT_MAX;
        sum->scratch = true;
        s->scratch_size += sum->size;
        (*count)++;
    }
    return 0;
}

int ct_strip_of(struct ct_strip *s, const struct ct_base *base, const struct ct_column *c)
{
    unsigned count = c->tree.levels ? c->tree.edge[0]->count : 0;

    s->base = *base;
    s->values = c->tree.values;
    s->count = c->count;
    s->folds = c->tree.folds;
    s->fold_level_count = 0;
    s->scratch = NULL;
    s->scratch_size = 0;
    s->levels = c->tree.levels ? c->tree.levels : 1;
    if (count)
        memcpy(s->tail, c->tree.edge[0]->sum, count * sizeof *s->tail);
    for (unsigned i = 1; i < c->tree.levels; i++)
        s->level[i] = (struct ct_strip_level){ c->tree.edge[i]->sum, c->tree.edge[i]->count };
    if (ct_column_held(c) && code_tail(s, c, &count) < 0)
        return -ENOMEM;
    s->level[0] = (struct ct_strip_level){ s->tail, count };
    return 0;
}

void ct_strip_fini(struct ct_strip *s)
{
    free(s->scratch);
    s->scratch = NULL;
}

bool ct_strip_has(const struct ct_strip *s, uint64_t at, size_t size)
{
    return at <= s->base.used && size <= s->base.used - at && (!s->base.check || s->base.check(s->base.context, at, size));
}

/* Times that the builder could have written: sums of them do not overflow. */
static bool is_sane(const struct ct_strip *s, const struct ct_sum *sum)
{
    return sum->start >= 0 && sum->start <= sum->end && sum->end <= TIME_MAX &&
           (s->values || (sum->slices.longest >= 0 && sum->slices.longest <= TIME_MAX));
}

static bool open_leaf(const struct ct_strip *s, const struct ct_sum *sum, struct ct_leaf *leaf)
{
    uint64_t at = sum->at;

    if (sum->scratch)
        return s->scratch && at < s->scratch_size && sum->size <= s->scratch_size - at &&
               ct_leaf_open(leaf, s->scratch + at, sum, s->values);
    return is_sane(s, sum) && ct_strip_has(s, at, sum->size) && ct_leaf_open(leaf, s->base.bytes + at, sum, s->values);
}

/* How many slices a full node of this level has below it. */
static uint64_t slices_below(unsigned level)
{
    return (uint64_t)CT_LEAF << 5 * level;
}

/* The 32 sums below one; NULL when they make no sense. */
static const struct ct_sum *open_node(const struct ct_strip *s, const struct ct_sum *sum, unsigned level)
{
    const struct ct_sum *sums;
    uint64_t all = 0;

    if (level == 0 || sum->size != 0 || sum->at % 8 != 0 || !ct_strip_has(s, sum->at, CT_FAN * sizeof *sums))
        return NULL;
    sums = (const struct ct_sum *)(const void *)(s->base.bytes + sum->at);
    for (unsigned i = 0; i < CT_FAN; i++)
        all += sums[i].count;
    return all == sum->count && all == slices_below(level) ? sums : NULL;
}

/* A leaf that is looked at soon: those of one row lie far apart, and times stand first in them. */
static inline void expect(const struct ct_strip *s, const struct ct_sum *sum)
{
    enum { LINE = 64, TIMES = 5 * LINE };

    if (sum->size && !sum->scratch && sum->at + TIMES <= s->base.used)
        for (unsigned i = 0; i < TIMES; i += LINE)
            __builtin_prefetch(s->base.bytes + sum->at + i);
}

/* `first` is the number of the first slice of all.  1: go on. */
static int walk(const struct ct_strip *s, const struct ct_walker *w, const struct ct_sum *sums, unsigned count,
                unsigned level, uint32_t first)
{
    for (unsigned i = 0; w->backwards && i < count; i++)
        first += sums[i].count;
    for (unsigned i = 0; i < count; i++) {
        const struct ct_sum *sum = w->backwards ? &sums[count - 1 - i] : &sums[i];
        enum ct_walk what;
        int r = 1;

        if (!is_sane(s, sum))
            return -EBADMSG;
        if (w->backwards)
            first -= sum->count;
        what = w->node(w->context, sum, first);
        if (what == CT_WALK_END)
            return 0;
        if (what == CT_WALK_IN && level == 0) {
            struct ct_leaf leaf;

            if (i + AHEAD < count && !w->backwards)
                expect(s, &sums[i + AHEAD]);
            r = !open_leaf(s, sum, &leaf) ? -EBADMSG : w->leaf(w->context, &leaf, first);
        } else if (what == CT_WALK_IN) {
            const struct ct_sum *below = open_node(s, sum, level);

            r = below ? walk(s, w, below, CT_FAN, level - 1, first) : -EBADMSG;
        }
        if (r <= 0)
            return r;
        if (!w->backwards)
            first += sum->count;
    }
    return 1;
}

int ct_strip_walk(const struct ct_strip *s, const struct ct_walker *w)
{
    uint32_t first = w->backwards ? s->count : 0;
    int r = 1;

    for (unsigned i = 0; i < s->levels && r > 0; i++) {
        unsigned level = w->backwards ? i : s->levels - 1 - i;
        uint32_t here = 0;

        for (unsigned k = 0; k < s->level[level].count; k++)
            here += s->level[level].sum[k].count;
        if (w->backwards)
            first -= here;
        r = walk(s, w, s->level[level].sum, s->level[level].count, level, first);
        if (!w->backwards)
            first += here;
    }
    return r < 0 ? r : 0;
}

int ct_strip_leaf(const struct ct_strip *s, uint32_t number, struct ct_leaf *ret, uint32_t *ret_first)
{
    const struct ct_sum *sum;
    uint64_t first = 0;
    unsigned level = s->levels, i;

    if (number >= s->count)
        return -ENOENT;
    for (;;) {                          /* the level of the edge that it is below */
        uint64_t each, here = 0;

        if (level-- == 0)
            return -EBADMSG;
        each = slices_below(level);
        for (i = 0; i < s->level[level].count; i++)
            here += s->level[level].sum[i].count;
        if (number - first < here) {
            i = (unsigned)((number - first) / each);
            sum = &s->level[level].sum[i];
            first += i * each;
            break;
        }
        first += here;
    }
    for (; level > 0; level--) {
        sum = open_node(s, sum, level);
        if (!sum)
            return -EBADMSG;
        i = (unsigned)((number - first) / slices_below(level - 1)) % CT_FAN;
        first += i * slices_below(level - 1);
        sum += i;
    }
    *ret_first = (uint32_t)first;
    return open_leaf(s, sum, ret) && number - first < ret->count ? 0 : -EBADMSG;
}

/* --- by time --- */


/* The last of `count` sums that starts at or before; -1: none does. */
static int last_before(const struct ct_sum *sum, unsigned count, int64_t ns)
{
    unsigned low = 0, high = count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (sum[middle].start <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return (int)low - 1;
}

int ct_strip_find(const struct ct_strip *s, int64_t ns, uint32_t *ret)
{
    const struct ct_sum *sum = NULL;
    unsigned level, at = 0;
    uint32_t number = 0;
    int64_t start[CT_LEAF], dur[CT_LEAF];
    double value[CT_LEAF];
    struct ct_leaf leaf;
    int i = -1;

    for (level = 0; level < s->levels; level++) {       /* the lowest levels are the latest */
        i = last_before(s->level[level].sum, s->level[level].count, ns);
        if (i >= 0)
            break;
    }
    if (i < 0)
        return -ENOENT;
    for (unsigned above = level + 1; above < s->levels; above++)
        for (unsigned k = 0; k < s->level[above].count; k++)
            number += s->level[above].sum[k].count;
    sum = s->level[level].sum;
    for (;; level--) {
        for (int k = 0; k < i; k++)
            number += sum[k].count;
        sum += i;
        if (level == 0)
            break;
        sum = open_node(s, sum, level);
        i = sum ? last_before(sum, CT_FAN, ns) : -1;
        if (i < 0)
            return -EBADMSG;
    }
    if (!open_leaf(s, sum, &leaf))
        return -EBADMSG;
    if (s->values)
        ct_leaf_all_values(&leaf, start, value);
    else
        ct_leaf_times(&leaf, start, dur);
    while (at < leaf.count && start[at] <= ns)
        at++;
    if (at == 0)
        return -EBADMSG;
    *ret = number + at - 1;
    return 0;
}
