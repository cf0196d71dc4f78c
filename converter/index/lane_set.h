/* Which lanes a question is about, one bit each. */
#pragma once

#include <errno.h>

#include "converter/index/memory.h"
#include "converter/index/query.h"

struct ct_lane_set {
    const uint8_t *bits;                /* NULL: all of them */
    size_t count;
};

/* Lanes that are not there are left out.  0 or -ENOMEM; it lives in `memory`. */
static inline int ct_lane_set_init(struct ct_lane_set *set, const struct ct_index_set *asked, size_t lane_count,
                                   struct ct_index_memory *memory)
{
    uint8_t *bits = NULL;

    *set = (struct ct_lane_set){ .count = lane_count };
    if (!asked || asked->count == 0)
        return 0;
    bits = ct_index_take(memory, lane_count / 8 + 1);
    if (!bits)
        return -ENOMEM;
    for (size_t i = 0; i < asked->count; i++)
        if (asked->lanes[i] < lane_count)
            bits[asked->lanes[i] / 8] |= (uint8_t)(1u << asked->lanes[i] % 8);
    set->bits = bits;
    return 0;
}

static inline bool ct_lane_set_has(const struct ct_lane_set *set, uint32_t lane)
{
    return lane < set->count && (!set->bits || set->bits[lane / 8] >> lane % 8 & 1);
}
