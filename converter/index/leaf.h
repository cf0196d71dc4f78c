/*
 * Up to 32 slices of a row as bytes, and what is said of them above.
 *
 *   u8 count - 1;  u8 width of starts | of durations << 4;  u8 width of names | of sizes << 4;  u8 1 if each ends where the next begins
 *   starts (from the sum's start), durations, names, sizes of payloads: columns of little-endian numbers of 0 to 8 bytes
 *   the payloads, one behind the other
 *
 * Where one ends when the next begins there are no durations: the last one's end is the sum's.
 * Values have starts and then doubles.  HOT: tiles read hundreds of leaves, the builder writes one for each 32 events.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CT_LEAF = 32, CT_LEAF_HEAD = 4 };

/* What one node of the tree says of all slices below it: a leaf, or 32 further sums. */
struct ct_sum {
    int64_t start, end;                 /* the first start, the greatest end */
    uint64_t at;                        /* where the leaf or the sums stand in the heap */
    union {
        struct { int64_t longest; uint64_t busy, names; } slices;       /* names: a bit for each name % 64 */
        struct { double min, max, last; } values;
    };
    uint32_t longest_slice, longest_name;   /* the first of the longest: its number in the row */
    uint32_t count;
    uint32_t size;                      /* of the leaf in bytes; 0: sums */
};

_Static_assert(sizeof(struct ct_sum) == 64, "sums are stored as they are");

/* Slices that are not coded yet. */
struct ct_raw {
    int64_t start[2 * CT_LEAF];
    union { int64_t dur[2 * CT_LEAF]; double value[2 * CT_LEAF]; };
    uint32_t name[2 * CT_LEAF], size[2 * CT_LEAF];
};

/* Most bytes that `count` slices with so much payload take. */
static inline size_t ct_leaf_room(unsigned count, size_t payload)
{
    return CT_LEAF_HEAD + count * (8u + 8 + 8 + 8) + payload + 8;
}

/*
 * Codes slices [from, from + count) of `raw` at `to`, which has room and 8 bytes to spare, and fills `sum` but for `at`.
 * `first` is the number of the first one in its row.  Starts need not ascend.  Returns the bytes written.
 */
size_t ct_leaf_slices(uint8_t *to, const struct ct_raw *raw, unsigned from, unsigned count, const uint8_t *payload,
                      uint32_t first, struct ct_sum *sum);
size_t ct_leaf_values(uint8_t *to, const struct ct_raw *raw, unsigned from, unsigned count, struct ct_sum *sum);

/* Adds a node to what is said of those before it; `all` zeroed at first. */
void ct_sum_add(struct ct_sum *all, const struct ct_sum *sum, bool values);

/* A leaf that was looked at: borrowed from its bytes. */
struct ct_leaf {
    unsigned count;
    bool unbroken;                      /* each ends where the next begins: no durations */
    int64_t base, last_end;
    const uint8_t *start, *dur, *name, *size, *payload, *end;
    uint8_t start_width, dur_width, name_width, size_width;
};

/* False when the bytes are no leaf of that many slices.  8 bytes behind `size` can be read. */
bool ct_leaf_open(struct ct_leaf *leaf, const uint8_t *bytes, const struct ct_sum *sum, bool values);

static inline uint64_t ct_leaf_get(const uint8_t *column, unsigned width, unsigned i)
{
    uint64_t value;

    memcpy(&value, column + (size_t)i * width, sizeof value);
    return width < 8 ? value & ((UINT64_C(1) << (8 * width)) - 1) : value;
}

static inline int64_t ct_leaf_start(const struct ct_leaf *leaf, unsigned i)
{
    return (int64_t)((uint64_t)leaf->base + ct_leaf_get(leaf->start, leaf->start_width, i));
}

static inline int64_t ct_leaf_dur(const struct ct_leaf *leaf, unsigned i)
{
    if (leaf->unbroken)
        return (int64_t)((uint64_t)(i + 1 < leaf->count ? ct_leaf_start(leaf, i + 1) : leaf->last_end) -
                         (uint64_t)ct_leaf_start(leaf, i));
    return (int64_t)ct_leaf_get(leaf->dur, leaf->dur_width, i);
}

static inline int64_t ct_leaf_end(const struct ct_leaf *leaf, unsigned i)
{
    return (int64_t)((uint64_t)ct_leaf_start(leaf, i) + (uint64_t)ct_leaf_dur(leaf, i));
}

static inline uint32_t ct_leaf_name(const struct ct_leaf *leaf, unsigned i)
{
    return (uint32_t)ct_leaf_get(leaf->name, leaf->name_width, i);
}

static inline double ct_leaf_value(const struct ct_leaf *leaf, unsigned i)
{
    double value;

    memcpy(&value, leaf->dur + 8 * (size_t)i, sizeof value);
    return value;
}

static inline void ct_leaf_column(const uint8_t *column, unsigned width, unsigned count, int64_t base, int64_t *ret)
{
    uint64_t mask = width < 8 ? (UINT64_C(1) << (8 * width)) - 1 : UINT64_MAX, value;

    for (unsigned i = 0; i < count; i++, column += width) {
        memcpy(&value, column, sizeof value);
        ret[i] = (int64_t)((uint64_t)base + (value & mask));
    }
}

/* All starts and durations at once: both have CT_LEAF. */
static inline void ct_leaf_times(const struct ct_leaf *leaf, int64_t *ret_start, int64_t *ret_dur)
{
    ct_leaf_column(leaf->start, leaf->start_width, leaf->count, leaf->base, ret_start);
    if (!leaf->unbroken) {
        ct_leaf_column(leaf->dur, leaf->dur_width, leaf->count, 0, ret_dur);
        return;
    }
    for (unsigned i = 0; i + 1 < leaf->count; i++)
        ret_dur[i] = ret_start[i + 1] - ret_start[i];
    ret_dur[leaf->count - 1] = leaf->last_end - ret_start[leaf->count - 1];
}

/* The payload of slice `i` and its size; nothing where the leaf does not hold what it says. */
static inline const uint8_t *ct_leaf_payload(const struct ct_leaf *leaf, unsigned i, size_t *ret_size)
{
    size_t at = 0, left = (size_t)(leaf->end - leaf->payload);

    for (unsigned k = 0; k < i; k++)
        at += ct_leaf_get(leaf->size, leaf->size_width, k);
    *ret_size = ct_leaf_get(leaf->size, leaf->size_width, i);
    if (at > left || *ret_size > left - at) {
        *ret_size = 0;
        return leaf->end;
    }
    return leaf->payload + at;
}

/* Where all payloads begin and, last, where they end: `ret` has CT_LEAF + 1.  False when the leaf does not hold them. */
static inline bool ct_leaf_payloads(const struct ct_leaf *leaf, uint32_t *ret)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < leaf->count; i++) {
        ret[i] = (uint32_t)at;
        at += ct_leaf_get(leaf->size, leaf->size_width, i);
    }
    ret[leaf->count] = (uint32_t)at;
    return at <= (size_t)(leaf->end - leaf->payload);
}
