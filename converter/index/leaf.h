/*
 * Up to 64 slices of a row as bytes, and what is said of them above.
 *
 *   u8 count - 1;  u8 CT_LEAF_*;  u8 bits of gaps, durations, names, sizes each;  u16 the least size;  u32 the least name
 *   gaps from the end of the slice before (of the first from the sum's start), durations, names and sizes beyond the least:
 *   columns of as many bits (bits.h)
 *   the payloads, one behind the other
 *
 * Slices that may lie in any order have starts (from the sum's) in place of gaps.  Values have gaps from start to start,
 * and their numbers in place of durations: those that are whole as bits beyond the least of them, which stands before the
 * columns; else as doubles.  HOT: tiles read hundreds of leaves, the builder writes one for each 50 events.
 */
#pragma once

#include <stdbool.h>

#include "converter/index/bits.h"

#define CT_AT_MAX ((UINT64_C(1) << 40) - 1)     /* an index is smaller */

enum {
    CT_TIME_BITS = 54,                  /* of any time or duration: 64 of each do not overflow */
    CT_LEAF = 64, CT_LEAF_HEAD = 12, CT_LEAF_SIZE_MAX = (1 << 24) - 1,
    CT_LEAF_LOOSE = 1, CT_LEAF_WHOLE = 2,
    CT_FAN = 32,                        /* leaves, or nodes, below a node */
    CT_STEP_NONE = 63,                  /* see struct ct_sum */
};

/* What one node of the tree says of all slices below it: a leaf, or 32 further sums. */
struct ct_sum {
    int64_t start, end;                 /* the first start, the greatest end */
    union {
        struct { int64_t longest; uint64_t busy, names; } slices;       /* names: a bit for each name % 64 */
        struct { double min, max, last; } values;
    };
    uint64_t at : 40, size : 24;        /* where the leaf or the sums stand in the heap; of the leaf, 0: sums */
    uint32_t count;
    uint8_t step;                       /* its slices are in the folds of steps of 2^step ns, and in all longer ones */
    uint8_t scratch;                    /* the leaf is in no file: see strip.c */
    uint8_t zero[2];
};

_Static_assert(sizeof(struct ct_sum) == 56, "sums are stored as they are");

/* A slice that is not coded yet. */
struct ct_raw {
    int64_t start;
    union { int64_t dur; double value; };
    uint32_t name, size;
};

/* Most bytes that `count` slices with so much payload take. */
static inline size_t ct_leaf_room(unsigned count, size_t payload)
{
    return CT_LEAF_HEAD + 8 + count * (8u + 8 + 4 + 4) + payload + 4 * 8;
}

/*
 * Codes `count` slices at `to`, which has room, and fills `sum` but for `at` and what is said of
 * folds.  Unless `loose` none begins before the one before it ends.  Returns the bytes written.
 */
size_t ct_leaf_slices(uint8_t *to, const struct ct_raw *raw, unsigned count, const uint8_t *payload, bool loose,
                      struct ct_sum *sum);
size_t ct_leaf_values(uint8_t *to, const struct ct_raw *raw, unsigned count, struct ct_sum *sum);

/* Whether a value is coded as a whole number: of up to 2^53, and not -0. */
bool ct_leaf_is_whole(double value);

/* Adds a node to what is said of those before it; `all` zeroed at first. */
void ct_sum_add(struct ct_sum *all, const struct ct_sum *sum, bool values);

/* A leaf that was looked at: borrowed from its bytes. */
struct ct_leaf {
    unsigned count;
    bool loose, whole;
    int64_t base, least_value;
    const uint8_t *gap, *dur, *name, *size, *payload, *end;
    uint8_t gap_width, dur_width, name_width, size_width;
    uint32_t least_name, least_size;
};

/* False when the bytes are no leaf of that many slices.  8 bytes behind `size` can be read. */
bool ct_leaf_open(struct ct_leaf *leaf, const uint8_t *bytes, const struct ct_sum *sum, bool values);

static inline int64_t ct_leaf_dur(const struct ct_leaf *leaf, unsigned i)
{
    return (int64_t)ct_bits_get(leaf->dur, leaf->dur_width, i);
}

static inline uint32_t ct_leaf_name(const struct ct_leaf *leaf, unsigned i)
{
    return leaf->least_name + (uint32_t)ct_bits_get(leaf->name, leaf->name_width, i);
}

/* All starts and durations at once: both have CT_LEAF. */
static inline void ct_leaf_times(const struct ct_leaf *leaf, int64_t *ret_start, int64_t *ret_dur)
{
    uint64_t start = (uint64_t)leaf->base, *starts = (uint64_t *)ret_start, *durs = (uint64_t *)ret_dur;

    ct_bits_all(leaf->gap, leaf->gap_width, leaf->count, starts);
    ct_bits_all(leaf->dur, leaf->dur_width, leaf->count, durs);
    for (unsigned i = 0; i < leaf->count; i++) {
        start += starts[i];
        starts[i] = leaf->loose ? (uint64_t)leaf->base + starts[i] : start;
        start += durs[i];
    }
}

/* The start of one. */
static inline int64_t ct_leaf_start(const struct ct_leaf *leaf, unsigned i)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];

    if (leaf->loose)
        return (int64_t)((uint64_t)leaf->base + ct_bits_get(leaf->gap, leaf->gap_width, i));
    ct_leaf_times(leaf, start, dur);
    return start[i];
}

static inline int64_t ct_leaf_end(const struct ct_leaf *leaf, unsigned i)
{
    return ct_leaf_start(leaf, i) + ct_leaf_dur(leaf, i);
}

/* All values and their times: both have CT_LEAF. */
void ct_leaf_all_values(const struct ct_leaf *leaf, int64_t *ret_ns, double *ret_value);

/* Where all payloads begin and, last, where they end: `ret` has CT_LEAF + 1.  False when the leaf does not hold them. */
static inline bool ct_leaf_payloads(const struct ct_leaf *leaf, uint32_t *ret)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < leaf->count; i++) {
        ret[i] = (uint32_t)at;
        at += leaf->least_size + ct_bits_get(leaf->size, leaf->size_width, i);
    }
    ret[leaf->count] = (uint32_t)at;
    return at <= (size_t)(leaf->end - leaf->payload);
}

/* The payload of slice `i` and its size; nothing where the leaf does not hold what it says. */
static inline const uint8_t *ct_leaf_payload(const struct ct_leaf *leaf, unsigned i, size_t *ret_size)
{
    uint32_t at[CT_LEAF + 1];

    *ret_size = 0;
    if (!ct_leaf_payloads(leaf, at))
        return leaf->end;
    *ret_size = at[i + 1] - at[i];
    return leaf->payload + at[i];
}
