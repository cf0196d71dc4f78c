/* Sums by stack: what a profile is before it is written. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "converter/read/idmap.h"
#include "converter/read/list.h"

enum { CT_TALLY_VALUES = 4 };

/* One distinct (stack, tag). */
struct ct_tally_row {
    uint32_t node;                      /* of struct ct_stacks */
    uint32_t tag;                       /* what else tells rows apart; its meaning is the profile's */
    double value[CT_TALLY_VALUES];      /* unsampled, so not whole */
};

/* Zeroed it is empty. */
struct ct_tally {
    CT_LIST(struct ct_tally_row) rows;
    struct ct_idmap places;             /* by node and tag */
};

void ct_tally_fini(struct ct_tally *tally);

/*
 * The place in `rows` of (node, tag), which is made when it is new.  Rows move when others are added; places do not.
 * Returns 0 or -ENOMEM.
 */
int ct_tally_place(struct ct_tally *tally, uint32_t node, uint32_t tag, uint32_t *ret);
