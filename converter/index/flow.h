/*
 * Arrows: a row of its own in which the start is where one leaves, the end where it arrives, the name is the lane it
 * leaves, and the payload its kind and the lane it goes to.  They stand in the order in which they arrived.
 */
#pragma once

#include "converter/index/store.h"

struct ct_flow {
    enum ct_index_flow_kind kind;
    uint32_t from_lane, to_lane;
    int64_t from_ns, to_ns;
};

/* False when the payload makes no sense. */
bool ct_flow_of(const struct ct_leaf *leaf, unsigned i, struct ct_flow *ret);
