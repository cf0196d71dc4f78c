/* Making folds while slices are coded, and reading them. */
#include "converter/index/fold.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SLICES_A_FOLD = 20,                 /* wanted at least; a fold takes as much as two slices */
    FOLDS_TOO_MANY = 8, FOLDS_TOO_FEW = 160,    /* fewer slices, more slices a fold: another level is better */
};

#define TIME_MAX (INT64_C(1) << 53)

/*
 *   u8 count - 1;  u8 bits each of steps (from that of the fold before), what of the start lies within the step, longest,
 *   busy beyond the longest, name beyond the least, count - 1, the longest's number from the first, slices left out;
 *   zeros; u32 the least name;  then columns as in leaf.h
 */
enum { STEP, LOW, LONGEST, REST, NAME, COUNT, OFFSET, SKIP, COLUMNS };

struct head {
    uint8_t count, width[COLUMNS], zero[3];
    uint32_t least_name;
};

_Static_assert(sizeof(struct head) == 16, "as it stands in the file");

/* --- making --- */

void ct_folds_fini(struct ct_folds *f)
{
    for (unsigned i = 0; i < CT_FOLD_LEVELS; i++)
        if (f->level[i]) {
            ct_list_fini(&f->level[i]->leaves);
            free(f->level[i]);
            f->level[i] = NULL;
        }
}

static struct ct_fold_level *level_of(struct ct_folds *f, unsigned i)
{
    struct ct_fold_level *l = f->level[i];

    if (l)
        return l;
    l = f->level[i] = malloc(sizeof *l);
    if (l) {
        l->open.count = l->held = 0;
        memset(&l->leaves, 0, sizeof l->leaves);
    }
    return l;
}

static int no_memory(struct ct_heap *heap)
{
    heap->error = -ENOMEM;
    return false;
}

static size_t code(uint8_t *to, const struct ct_fold *fold, unsigned count, unsigned shift)
{
    uint64_t column[COLUMNS][CT_FOLD_LEAF], all[COLUMNS] = { 0 }, step = (uint64_t)fold->start >> shift;
    struct head head = { .count = (uint8_t)(count - 1), .least_name = UINT32_MAX };
    uint32_t next = fold->first;
    uint8_t *p = to + sizeof head;

    for (unsigned i = 0; i < count; i++)
        head.least_name = fold[i].name < head.least_name ? fold[i].name : head.least_name;
    for (unsigned i = 0; i < count; i++, fold++) {
        column[STEP][i] = ((uint64_t)fold->start >> shift) - step;
        column[LOW][i] = (uint64_t)fold->start & ((UINT64_C(1) << shift) - 1);
        column[LONGEST][i] = (uint64_t)fold->longest;
        column[REST][i] = (uint64_t)(fold->busy - fold->longest);
        column[NAME][i] = fold->name - head.least_name;
        column[COUNT][i] = fold->count - 1;
        column[OFFSET][i] = fold->slice - fold->first;
        column[SKIP][i] = fold->first - next;
        step = (uint64_t)fold->start >> shift;
        next = fold->first + fold->count;
        for (unsigned k = 0; k < COLUMNS; k++)
            all[k] |= column[k][i];
    }
    for (unsigned k = 0; k < COLUMNS; k++) {
        head.width[k] = (uint8_t)ct_bits_width(all[k]);
        p = ct_bits_put(p, column[k], count, head.width[k]);
    }
    memcpy(to, &head, sizeof head);
    return (size_t)(p - to);
}

static bool seal(const struct ct_folds *f, struct ct_heap *heap, unsigned level)
{
    struct ct_fold_level *l = f->level[level];
    uint8_t *to = ct_heap_room(heap, CT_FOLD_LEAF_ROOM);
    struct ct_fold_leaf *leaf = to ? ct_list_add(&l->leaves) : NULL;

    if (!leaf)
        return to ? no_memory(heap) : false;
    *leaf = (struct ct_fold_leaf){ l->raw[0].start, heap->used, 0, l->held, l->raw[0].first, 0 };
    leaf->size = (uint32_t)(f->values ? ct_fold_values_code(to, l->raw, l->held, level) : code(to, l->raw, l->held, 2 * level));
    ct_heap_take(heap, leaf->size);
    l->held = 0;
    return true;
}

static bool take(struct ct_folds *f, struct ct_heap *heap, unsigned level, const struct ct_fold *fold);

/* Hands the fold under way to its level, and to the one above. */
static bool close_open(struct ct_folds *f, struct ct_heap *heap, unsigned level)
{
    struct ct_fold_level *l = f->level[level];
    struct ct_fold fold = l->open;

    if (fold.count == 0)
        return true;
    l->open.count = 0;
    f->made += level == f->finest;
    l->raw[l->held++] = fold;
    if (l->held == CT_FOLD_LEAF && !seal(f, heap, level))
        return false;
    return level + 1 == CT_FOLD_LEVELS || take(f, heap, level + 1, &fold);
}

/* Adds what lies in the same step and comes later. */
static void join(struct ct_fold *open, const struct ct_fold *fold, bool values)
{
    open->count = fold->first + fold->count - open->first;
    if (values) {
        open->min = fold->min < open->min ? fold->min : open->min;
        open->max = fold->max > open->max ? fold->max : open->max;
        open->last = fold->last;
        return;
    }
    if (fold->longest > open->longest) {
        open->longest = fold->longest;
        open->name = fold->name;
        open->slice = fold->slice;
    }
    open->busy += fold->busy;
}

/* Takes a slice or a value, or a fold of the level below, which lies in one step of this level. */
static bool take(struct ct_folds *f, struct ct_heap *heap, unsigned level, const struct ct_fold *fold)
{
    struct ct_fold_level *l = level_of(f, level);
    unsigned shift = 2 * level;
    bool is_long = !f->values && fold->longest >> shift != 0;
    int64_t start = is_long ? fold->start : fold->start >> shift << shift;

    if (!l)
        return no_memory(heap);
    if (l->open.count && !is_long && l->open.start == start && (f->values || l->open.longest >> shift == 0)) {
        join(&l->open, fold, f->values);
        return true;
    }
    if (!close_open(f, heap, level))
        return false;
    l->open = *fold;
    l->open.start = start;
    return true;
}

bool ct_folds_begin(struct ct_folds *f, bool values, unsigned finest)
{
    f->values = values;
    f->finest = finest;
    return level_of(f, finest) != NULL;
}

static bool add_values(struct ct_folds *f, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, uint32_t first)
{
    struct ct_fold *open = &f->level[f->finest]->open;
    unsigned shift = 2 * f->finest;
    int64_t end = open->count ? open->start + (INT64_C(1) << shift) : INT64_MIN;

    for (unsigned i = 0; i < count; i++) {
        double value = raw[i].value;

        if (__builtin_expect(raw[i].start < end, 1)) {
            open->min = value < open->min ? value : open->min;
            open->max = value > open->max ? value : open->max;
            open->last = value;
            open->count++;
            continue;
        }
        if (!take(f, heap, f->finest,
                  &(struct ct_fold){ .start = raw[i].start, .first = first + i, .count = 1, .min = value, .max = value, .last = value }))
            return false;
        end = open->start + (INT64_C(1) << shift);
    }
    return true;
}

/* Adds slices from number `i` on as long as they lie in the step that ends at `end`: up to which.  No branch is on a length. */
static unsigned join_slices(struct ct_fold *open, const struct ct_raw *raw, unsigned i, unsigned count, uint32_t first,
                            int64_t end, int64_t limit)
{
    int64_t longest = open->longest, busy = open->busy;
    unsigned from = i, most = CT_LEAF;          /* most: the longest; none of them yet */

    for (; i < count && raw[i].start < end && raw[i].dur < limit; i++) {
        int64_t dur = raw[i].dur;

        most = dur > longest ? i : most;
        longest = dur > longest ? dur : longest;
        busy += dur;
    }
    open->count += i - from;
    open->busy = busy;
    if (most < CT_LEAF) {
        open->longest = longest;
        open->name = raw[most].name;
        open->slice = first + most;
    }
    return i;
}

static bool add_slices(struct ct_folds *f, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, uint32_t first)
{
    struct ct_fold *open = &f->level[f->finest]->open;
    int64_t limit = INT64_C(1) << 2 * f->finest;
    int64_t end = open->count && open->longest < limit ? open->start + limit : INT64_MIN;

    for (unsigned i = 0, next; i < count; i = next) {
        next = end == INT64_MIN ? i : join_slices(open, raw, i, count, first, end, limit);
        if (next > i)
            continue;
        if (!take(f, heap, f->finest,
                  &(struct ct_fold){ .start = raw[i].start, .first = first + i, .count = 1, .longest = raw[i].dur,
                                     .busy = raw[i].dur, .name = raw[i].name, .slice = first + i }))
            return false;
        end = raw[i].dur < limit ? open->start + limit : INT64_MIN;
        next = i + 1;
    }
    return true;
}

bool ct_folds_add(struct ct_folds *f, struct ct_heap *heap, const struct ct_raw *raw, unsigned count, uint32_t first)
{
    return f->values ? add_values(f, heap, raw, count, first) : add_slices(f, heap, raw, count, first);
}

/* Closes what is under way in the levels below `to`. */
static bool close_below(struct ct_folds *f, struct ct_heap *heap, unsigned to)
{
    for (unsigned i = 0; i < to; i++)
        if (f->level[i] && !close_open(f, heap, i))
            return false;
    return true;
}

bool ct_folds_look(struct ct_folds *f, struct ct_heap *heap, unsigned slices)
{
    uint64_t made = f->made - f->made_before;

    f->made_before = f->made;
    if (made > slices / FOLDS_TOO_MANY && f->finest + 1 < CT_FOLD_LEVELS) {
        f->finest++;
        if (!level_of(f, f->finest))
            return no_memory(heap);
        return close_below(f, heap, f->finest);
    }
    if (made < slices / FOLDS_TOO_FEW && f->finest > 0) {
        if (!level_of(f, f->finest - 1))
            return no_memory(heap);
        f->finest--;
    }
    return true;
}

bool ct_folds_finish(struct ct_folds *f, struct ct_heap *heap)
{
    if (!close_below(f, heap, CT_FOLD_LEVELS))
        return false;
    for (unsigned i = 0; i < CT_FOLD_LEVELS; i++)
        if (f->level[i] && f->level[i]->held && !seal(f, heap, i))
            return false;
    return true;
}

unsigned ct_folds_level_of(int64_t ns, uint64_t slices)
{
    uint64_t wanted = (uint64_t)ns / (slices ? slices : 1) * SLICES_A_FOLD;
    unsigned width = ct_bits_width(wanted ? wanted - 1 : 0);

    return (width + 1) / 2 < CT_FOLD_LEVELS ? (width + 1) / 2 : CT_FOLD_LEVELS - 1;
}

/* --- reading --- */

bool ct_fold_leaf_read(const uint8_t *bytes, const struct ct_fold_leaf *leaf, unsigned level, struct ct_fold *ret)
{
    uint64_t column[COLUMNS][CT_FOLD_LEAF], step = (uint64_t)leaf->start >> 2 * level;
    const uint8_t *p = bytes + sizeof(struct head);
    uint32_t next = leaf->first;
    size_t size = sizeof(struct head);
    struct head head;

    if (leaf->size < sizeof head || leaf->count == 0 || leaf->count > CT_FOLD_LEAF)
        return false;
    memcpy(&head, bytes, sizeof head);
    if (head.count != leaf->count - 1)
        return false;
    for (unsigned k = 0; k < COLUMNS; k++) {
        if (head.width[k] > CT_BITS_MAX)
            return false;
        size += ct_bits_size(leaf->count, head.width[k]);
    }
    if (size > leaf->size)
        return false;
    for (unsigned k = 0; k < COLUMNS; k++) {
        ct_bits_all(p, head.width[k], leaf->count, column[k]);
        p += ct_bits_size(leaf->count, head.width[k]);
    }
    for (unsigned i = 0; i < leaf->count; i++) {
        step += column[STEP][i];
        next += (uint32_t)column[SKIP][i];
        ret[i] = (struct ct_fold){ .start = (int64_t)((step << 2 * level) + column[LOW][i]), .longest = (int64_t)column[LONGEST][i],
                                   .busy = (int64_t)(column[LONGEST][i] + column[REST][i]),
                                   .name = head.least_name + (uint32_t)column[NAME][i],
                                   .slice = next + (uint32_t)column[OFFSET][i], .first = next, .count = (uint32_t)column[COUNT][i] + 1 };
        next += ret[i].count;
        if (ret[i].start < 0 || ret[i].start > TIME_MAX || ret[i].longest > TIME_MAX || ret[i].busy < 0)
            return false;
    }
    return true;
}
