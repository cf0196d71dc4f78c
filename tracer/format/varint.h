/* LEB128: seven bits a byte, low ones first; the top bit says that another byte follows. */
#pragma once

#include <stdint.h>

enum { CT_VARINT_MAX = 10 };        /* bytes of the longest 64-bit varint */

/* HOT: writes `v` at `p`, which must have room for CT_VARINT_MAX bytes.  Returns the byte after it. */
static inline uint8_t *ct_varint_put(uint8_t *p, uint64_t v)
{
    while (__builtin_expect(v >= 0x80, 0)) {
        *p++ = (uint8_t)v | 0x80;
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

/*
 * HOT: the same for numbers that take one byte or two as it happens, how long calls took above all: without a branch between
 * the two, at the price of six instructions, too dear for the time between events, which is short where events are many.
 * The byte behind a number of one byte is written as well.
 */
static inline uint8_t *ct_varint_put_short(uint8_t *p, uint64_t v)
{
    unsigned more = v >= 0x80;

    if (__builtin_expect(v >= 0x4000, 0))
        return ct_varint_put(p, v);
    p[0] = (uint8_t)(v | more << 7);
    p[1] = (uint8_t)(v >> 7);
    return p + 1 + more;
}

/* Signed numbers travel zigzag: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..., so that small ones stay short. */
static inline uint64_t ct_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t ct_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
