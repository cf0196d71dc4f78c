/* Sets of labels, each once: what a thread's labels were when it was sampled. */
#pragma once

#include "converter/read/idmap.h"
#include "converter/read/list.h"
#include "format/tables.h"

enum { CT_LABEL_SETS_MAX = 1 << 16, CT_LABEL_SET_BYTES = 4096 };

/* "key\0value\0" for each label, sorted by key. */
struct ct_label_set {
    char *text;
    size_t size;
};

/* Zeroed there is one set, the empty one, number 0. */
struct ct_label_sets {
    CT_LIST(struct ct_label_set) sets;  /* number n is items[n - 1] */
    struct ct_idmap places;             /* of hashes in `sets` */
};

void ct_label_sets_fini(struct ct_label_sets *sets);

/* The text of a set; borrowed. */
struct ct_text ct_label_set_text(const struct ct_label_sets *sets, uint32_t set);

/*
 * The set that is `set` with `key` set to `value`, or without `key` when `value` is empty.  Where there is no room for
 * another set, or for the label, it is `set` itself.  Returns 0 or -ENOMEM.
 */
int ct_label_set_with(struct ct_label_sets *sets, uint32_t set, struct ct_text key, struct ct_text value, uint32_t *ret);
