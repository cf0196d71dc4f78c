/* The outermost level of a protobuf message, a field at a time, so that a large one is never unpacked as a whole. */
#pragma once

#include <stdbool.h>

#include "format/cursor.h"

enum ct_field_wire {
    CT_FIELD_VARINT = 0,
    CT_FIELD_FIXED64 = 1,
    CT_FIELD_BYTES = 2,
    CT_FIELD_FIXED32 = 5,
};

struct ct_field {
    uint32_t number;
    enum ct_field_wire wire;
    uint64_t value;             /* CT_FIELD_VARINT */
    const uint8_t *bytes;       /* CT_FIELD_BYTES; borrowed from the cursor's memory */
    size_t size;
    uint64_t offset;            /* of the field in the file */
};

/* Steps to the next field.  1, 0 at the end, -ENODATA or -EINVAL with `err` (not NULL). */
static inline int ct_field_next(struct ct_cursor *c, struct ct_field *ret, struct ct_error *err)
{
    uint64_t tag, size = 0;
    int r;

    if (ct_cursor_left(c) == 0)
        return 0;
    ret->offset = ct_cursor_offset(c);
    r = ct_cursor_varint(c, &tag, err);
    if (r < 0)
        return r;
    if (tag >> 3 == 0 || tag >> 32)
        return ct_error_at(err, -EINVAL, ret->offset, "not a profile: a field cannot have number %llu",
                           (unsigned long long)(tag >> 3));
    ret->number = (uint32_t)(tag >> 3);
    ret->wire = tag & 7;
    switch (ret->wire) {
    case CT_FIELD_VARINT:
        r = ct_cursor_varint(c, &ret->value, err);
        return r < 0 ? r : 1;
    case CT_FIELD_FIXED64:
        size = 8;
        break;
    case CT_FIELD_FIXED32:
        size = 4;
        break;
    case CT_FIELD_BYTES:
        r = ct_cursor_varint(c, &size, err);
        break;
    default:
        return ct_error_at(err, -EINVAL, ret->offset, "not a profile: field %u has wire type %u", ret->number,
                           (unsigned)(tag & 7));
    }
    if (r == 0 && size > ct_cursor_left(c))
        return ct_error_at(err, -ENODATA, ret->offset, "field %u has %llu bytes, %zu are left", ret->number,
                           (unsigned long long)size, ct_cursor_left(c));
    ret->size = (size_t)size;
    r = r == 0 ? ct_cursor_bytes(c, ret->size, &ret->bytes, err) : r;
    return r < 0 ? r : 1;
}
