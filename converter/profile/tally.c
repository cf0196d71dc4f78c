/* Rows in an array, found by their stack and tag. */
#include "converter/profile/tally.h"

#include <errno.h>

/* Rows of one profile: more distinct stacks than any program has; a hostile trace ends here. */
enum { ROWS_MAX = 1 << 22 };

void ct_tally_fini(struct ct_tally *tally)
{
    ct_list_fini(&tally->rows);
    ct_idmap_fini(&tally->places);
}

int ct_tally_place(struct ct_tally *tally, uint32_t node, uint32_t tag, uint32_t *ret)
{
    uint64_t key = (uint64_t)node << 32 | tag;
    uint32_t place = ct_idmap_get(&tally->places, key);
    struct ct_tally_row *row;
    int r;

    if (place != CT_IDMAP_NONE) {
        *ret = place;
        return 0;
    }
    if (tally->rows.count >= ROWS_MAX)
        return -ENOMEM;
    row = ct_list_add(&tally->rows);
    if (!row)
        return -ENOMEM;
    *row = (struct ct_tally_row){ .node = node, .tag = tag };
    place = (uint32_t)(tally->rows.count - 1);
    r = ct_idmap_add(&tally->places, key, place);
    if (r < 0) {
        tally->rows.count--;
        return r;
    }
    *ret = place;
    return 0;
}
