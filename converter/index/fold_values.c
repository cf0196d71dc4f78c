/*
 * Folds of values as bytes.
 *
 *   u8 count - 1;  u8 1: all are whole numbers;  u8 bits each of steps (from that of the fold before), count - 1, values left
 *   out, min beyond the least, max beyond the min, last beyond the min;  i64 the least;  then columns as in leaf.h
 *
 * Where not all are whole the last three have no bits: min, max and last of each stand behind the columns as doubles.
 */
#include "converter/index/fold.h"

#define TIME_MAX (INT64_C(1) << 53)

enum { STEP, COUNT, SKIP, MIN, SPAN, LAST, COLUMNS };

struct head {
    uint8_t count, whole, width[COLUMNS];
    int64_t least;
};

_Static_assert(sizeof(struct head) == 16, "as it stands in the file");
_Static_assert(sizeof(struct head) + CT_FOLD_LEAF * 8 * COLUMNS <= CT_FOLD_LEAF_ROOM, "a leaf has room");

/* Whether all are whole, and the least of them then. */
static bool are_whole(const struct ct_fold *fold, unsigned count, int64_t *ret_least)
{
    double least = fold->min;

    for (unsigned i = 0; i < count; i++) {
        if (!ct_leaf_is_whole(fold[i].min) || !ct_leaf_is_whole(fold[i].max) || !ct_leaf_is_whole(fold[i].last))
            return false;
        least = fold[i].min < least ? fold[i].min : least;
    }
    *ret_least = (int64_t)least;
    return true;
}

size_t ct_fold_values_code(uint8_t *to, const struct ct_fold *fold, unsigned count, unsigned level)
{
    uint64_t column[COLUMNS][CT_FOLD_LEAF] = { 0 }, all[COLUMNS] = { 0 }, step = (uint64_t)fold->start >> 2 * level;
    struct head head = { .count = (uint8_t)(count - 1) };
    uint32_t next = fold->first;
    uint8_t *p = to + sizeof head;

    head.whole = are_whole(fold, count, &head.least);
    for (unsigned i = 0; i < count; i++) {
        const struct ct_fold *f = &fold[i];

        column[STEP][i] = ((uint64_t)f->start >> 2 * level) - step;
        column[COUNT][i] = f->count - 1;
        column[SKIP][i] = f->first - next;
        if (head.whole) {
            column[MIN][i] = (uint64_t)((int64_t)f->min - head.least);
            column[SPAN][i] = (uint64_t)((int64_t)f->max - (int64_t)f->min);
            column[LAST][i] = (uint64_t)((int64_t)f->last - (int64_t)f->min);
        }
        step = (uint64_t)f->start >> 2 * level;
        next = f->first + f->count;
        for (unsigned k = 0; k < COLUMNS; k++)
            all[k] |= column[k][i];
    }
    for (unsigned k = 0; k < COLUMNS; k++) {
        head.width[k] = (uint8_t)ct_bits_width(all[k]);
        p = ct_bits_put(p, column[k], count, head.width[k]);
    }
    for (unsigned i = 0; !head.whole && i < count; i++, p += 3 * sizeof(double))
        memcpy(p, (double[]){ fold[i].min, fold[i].max, fold[i].last }, 3 * sizeof(double));
    memcpy(to, &head, sizeof head);
    return (size_t)(p - to);
}

/* Bytes that the columns take; 0: nobody wrote them. */
static size_t size_of(const struct head *head, const struct ct_fold_leaf *leaf)
{
    size_t size = sizeof *head + (head->whole ? 0 : 3 * sizeof(double) * leaf->count);

    if (head->count != leaf->count - 1 || head->whole > 1)
        return 0;
    for (unsigned k = 0; k < COLUMNS; k++) {
        if (head->width[k] > CT_BITS_MAX || (k >= MIN && !head->whole && head->width[k]))
            return 0;
        size += ct_bits_size(leaf->count, head->width[k]);
    }
    return size;
}

bool ct_fold_values_read(const uint8_t *bytes, const struct ct_fold_leaf *leaf, unsigned level, struct ct_fold *ret)
{
    uint64_t column[COLUMNS][CT_FOLD_LEAF], step = (uint64_t)leaf->start >> 2 * level;
    const uint8_t *p = bytes + sizeof(struct head);
    uint32_t next = leaf->first;
    struct head head;
    size_t size;

    if (leaf->size < sizeof head || leaf->count == 0 || leaf->count > CT_FOLD_LEAF)
        return false;
    memcpy(&head, bytes, sizeof head);
    size = size_of(&head, leaf);
    if (size == 0 || size > leaf->size)
        return false;
    for (unsigned k = 0; k < COLUMNS; k++) {
        ct_bits_all(p, head.width[k], leaf->count, column[k]);
        p += ct_bits_size(leaf->count, head.width[k]);
    }
    for (unsigned i = 0; i < leaf->count; i++) {
        struct ct_fold *f = &ret[i];

        step += column[STEP][i];
        next += (uint32_t)column[SKIP][i];
        f->start = (int64_t)(step << 2 * level);
        f->first = next;
        f->count = (uint32_t)column[COUNT][i] + 1;
        next += f->count;
        if (head.whole) {
            uint64_t min = (uint64_t)head.least + column[MIN][i];

            f->min = (double)(int64_t)min;
            f->max = (double)(int64_t)(min + column[SPAN][i]);
            f->last = (double)(int64_t)(min + column[LAST][i]);
        } else {
            double values[3];

            memcpy(values, p + i * sizeof values, sizeof values);
            f->min = values[0];
            f->max = values[1];
            f->last = values[2];
        }
        if (f->start < 0 || f->start > TIME_MAX)
            return false;
    }
    return true;
}
