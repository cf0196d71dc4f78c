/*
 * An index as a file: a head of one page, then leaves and sums as they came, then what a first look at the whole needs of each row,
 * together, then the tables.
 * Every part has a sum: those of the tables are looked at when the file is opened, those of the leaves, by pages, when a
 * page is first read.
 */
#pragma once

#include <stdatomic.h>

#include "converter/index/file.h"

struct ct_builder;

#define CT_IMAGE_MAGIC "ctindex"        /* with its NUL */

enum {
    CT_IMAGE_VERSION = 12,
    CT_IMAGE_HEAD = 4096,
    CT_IMAGE_NEAR_STEPS = 4096,         /* folds of which the trace has no more steps are near; a picture shows 1024 to 2048 */
    CT_IMAGE_PAGE = CT_HEAP_PAGE,       /* leaves of one row lie far apart: each is in a page of its own */
};

enum ct_image_table {
    CT_IMAGE_OFFSETS, CT_IMAGE_TEXTS, CT_IMAGE_USES, CT_IMAGE_ADDRESSES, CT_IMAGE_NAMES, CT_IMAGE_EVENTS, CT_IMAGE_PROGRAMS, CT_IMAGE_LANES,
    CT_IMAGE_ROWS, CT_IMAGE_FLOWS, CT_IMAGE_NODES, CT_IMAGE_FRAMES, CT_IMAGE_SUMMARY, CT_IMAGE_FOLD_LEVELS,
    CT_IMAGE_FOLD_LEAVES, CT_IMAGE_PAGES,
    CT_IMAGE_TABLES
};

struct ct_image_head {
    char magic[8];
    uint32_t version, page;
    struct ct_index_key key;
    uint64_t near, leaves, size;        /* where what a first look needs begins; where the leaves end; of the file */
    struct { uint64_t at, count, item, sum; } table[CT_IMAGE_TABLES];
    uint64_t revision;
    uint64_t sum;                       /* of all before */
};

/* Which pages were found to be as they were written. */
struct ct_image {
    const uint64_t *sums;
    const uint8_t *bytes;
    uint64_t leaves;
    _Atomic uint8_t *seen;              /* one byte a page: 1 good, 2 bad; NULL: they need no look */
    atomic_bool damaged;
};

/* A sum that changes with any byte; `size` may be any. */
uint64_t ct_image_sum(const void *bytes, size_t size);

/*
 * Sums up the pages that are full by now: while they are near, and not all at the end.  For the thread that appends to the
 * heap, which need not keep others out: nothing changes in a full page.
 */
void ct_image_sum_pages(struct ct_builder *b);

/*
 * Writes tables and head behind what is in the builder's heap, all of whose columns are finished, and cuts the file to its
 * size.  0 or a negative errno.
 */
int ct_image_write(struct ct_builder *b, const struct ct_index_key *key);

/*
 * Fills `store` from the mapped file.  With `trusted` - we have just written it - nothing is checked.
 * 0, or -EINVAL: it is not the index of that key, or it is damaged, or it is not the user's own; -ENOMEM.
 */
int ct_image_open(const struct ct_heap *heap, const struct ct_index_key *key, bool trusted, struct ct_image *image,
                  struct ct_store *store);
void ct_image_fini(struct ct_image *image);

/* Maps the first file among the places for the index of `trace` that is one.  0 with its path, or negative. */
int ct_image_find(const char *trace, const char *folder, const struct ct_index_key *key, struct ct_heap *heap,
                  struct ct_image *image, struct ct_store *store, char *ret_path, size_t room);
