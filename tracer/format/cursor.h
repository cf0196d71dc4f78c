/* A bounded view of bytes that are not trusted: every read checks, no read goes past `end`. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "format/error.h"
#include "format/varint.h"

struct ct_cursor {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *base;    /* `origin` is the file offset of this byte; for messages */
    uint64_t origin;
};

static inline struct ct_cursor ct_cursor_over(const void *bytes, size_t size, uint64_t origin)
{
    const uint8_t *at = bytes;

    return (struct ct_cursor){ at, at + size, at, origin };
}

static inline size_t ct_cursor_left(const struct ct_cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* The file offset of the next byte. */
static inline uint64_t ct_cursor_offset(const struct ct_cursor *c)
{
    return c->origin + (uint64_t)(c->at - c->base);
}

/*
 * Reads one varint into `*ret` and steps past it.
 * Returns 0, -ENODATA when the bytes end within it, or -EINVAL when it does not fit 64 bits;
 * on failure `*ret` and the cursor are as they were, and `*err` says where.
 */
static inline int ct_cursor_varint(struct ct_cursor *c, uint64_t *ret, struct ct_error *err)
{
    uint64_t value = 0;
    const uint8_t *p = c->at;

    for (unsigned shift = 0; p < c->end; shift += 7) {
        uint8_t byte = *p++;

        if (shift == 63 && byte > 1)
            return ct_error_at(err, -EINVAL, ct_cursor_offset(c), "a number does not fit 64 bits");
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            c->at = p;
            *ret = value;
            return 0;
        }
    }
    return ct_error_at(err, -ENODATA, ct_cursor_offset(c), "the bytes end within a number");
}

/* Lends `size` bytes at the cursor (borrowed from the cursor's memory) and steps past them.  -ENODATA when fewer are left. */
static inline int ct_cursor_bytes(struct ct_cursor *c, size_t size, const uint8_t **ret, struct ct_error *err)
{
    if (ct_cursor_left(c) < size)
        return ct_error_at(err, -ENODATA, ct_cursor_offset(c), "%zu bytes wanted, %zu left", size, ct_cursor_left(c));
    *ret = c->at;
    c->at += size;
    return 0;
}

/* Lends a text that is preceded by its length. */
static inline int ct_cursor_text(struct ct_cursor *c, const char **ret, size_t *ret_size, struct ct_error *err)
{
    struct ct_cursor was = *c;
    const uint8_t *bytes;
    uint64_t size;
    int r = ct_cursor_varint(c, &size, err);

    if (r < 0)
        return r;
    r = size > ct_cursor_left(c)
        ? ct_error_at(err, -ENODATA, ct_cursor_offset(&was), "a text of %llu bytes, %zu left",
                      (unsigned long long)size, ct_cursor_left(c))
        : ct_cursor_bytes(c, size, &bytes, err);
    if (r < 0) {
        *c = was;
        return r;
    }
    *ret = (const char *)bytes;
    *ret_size = size;
    return 0;
}
