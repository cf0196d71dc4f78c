/* Looking slices up. */
#include "converter/index/slice.h"

#include <errno.h>

int ct_slice_of(const struct ct_strip *strip, uint32_t number, struct ct_slice *ret)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];
    struct ct_leaf leaf;
    uint32_t first;
    unsigned i;
    int r = strip->values ? -ENOENT : ct_strip_leaf(strip, number, &leaf, &first);

    if (r < 0)
        return r;
    i = number - first;
    ret->number = number;
    ret->name = ct_leaf_name(&leaf, i);
    ct_leaf_times(&leaf, start, dur);
    ret->start = start[i];
    ret->end = start[i] + dur[i];
    ret->payload = ct_leaf_payload(&leaf, i, &ret->payload_size);
    return 0;
}

int ct_slice_at(const struct ct_strip *strip, int64_t ns, struct ct_slice *ret)
{
    uint32_t number;
    int r = ct_strip_find(strip, ns, &number);

    return r < 0 ? r : ct_slice_of(strip, number, ret);
}

uint32_t ct_lane_row(const struct ct_store *s, uint32_t lane, enum ct_index_row_kind kind, unsigned depth)
{
    uint32_t row = lane < s->lane_count ? s->lanes[lane].first_row : CT_INDEX_NONE;

    for (size_t steps = 0; steps < s->row_count; steps++) {
        const struct ct_row_record *record = ct_store_row(s, row);

        if (!record || record->lane != lane)
            break;
        if (record->kind == kind && record->depth == depth)
            return row;
        row = record->next;
    }
    return CT_INDEX_NONE;
}

/* The slice of one row around `ns`. */
static int row_slice(const struct ct_store *s, uint32_t row, int64_t ns, struct ct_slice *ret, uint32_t *ret_stack)
{
    struct ct_strip strip;
    struct ct_payload payload;
    int r = ct_store_strip(s, row, &strip);

    if (r < 0)
        return r;
    r = strip.values ? -ENOENT : ct_slice_at(&strip, ns, ret);
    if (r == 0 && ret->end < ns)
        r = -ENOENT;
    if (r == 0) {
        ct_payload_open(&payload, ret->payload, ret->payload_size);
        *ret_stack = payload.stack;
        ret->row = row;
        ret->payload = NULL;            /* it goes with the strip */
        ret->payload_size = 0;
    }
    ct_strip_fini(&strip);
    return r;
}

int ct_lane_slice(const struct ct_store *s, uint32_t lane, int64_t ns, struct ct_slice *ret, uint32_t *ret_stack)
{
    uint32_t row = lane < s->lane_count ? s->lanes[lane].first_row : CT_INDEX_NONE;
    struct ct_slice found;
    unsigned deepest = 0;
    uint32_t stack;
    int any = -ENOENT;

    for (size_t steps = 0; steps < s->row_count; steps++) {
        const struct ct_row_record *record = ct_store_row(s, row);
        int r;

        if (!record || record->lane != lane)
            break;
        if (record->kind == CT_ROW_SLICES && (any < 0 || record->depth > deepest)) {
            r = row_slice(s, row, ns, &found, &stack);
            if (r == 0) {
                any = 0;
                deepest = record->depth;
                *ret = found;
                *ret_stack = stack;
            } else if (r != -ENOENT) {
                return r;
            }
        }
        row = record->next;
    }
    return any;
}
