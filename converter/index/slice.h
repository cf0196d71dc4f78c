/* Single slices, looked up one by one: of a row by number or time, of a lane by time. */
#pragma once

#include "converter/index/payload.h"

struct ct_slice {
    uint32_t row, number, name;
    int64_t start, end;
    const uint8_t *payload;             /* borrowed from the strip */
    size_t payload_size;
};

/* 0, -ENOENT, -EBADMSG. */
int ct_slice_of(const struct ct_strip *strip, uint32_t number, struct ct_slice *ret);

/* The last slice that starts at or before `ns`. */
int ct_slice_at(const struct ct_strip *strip, int64_t ns, struct ct_slice *ret);

/* The row of slices at `depth` of a lane; CT_INDEX_NONE when there is none. */
uint32_t ct_lane_row(const struct ct_store *store, uint32_t lane, enum ct_index_row_kind kind, unsigned depth);

/* The innermost slice of the lane around `ns`, and its stack.  0, -ENOENT, -EBADMSG, -ENOMEM. */
int ct_lane_slice(const struct ct_store *store, uint32_t lane, int64_t ns, struct ct_slice *ret, uint32_t *ret_stack);
