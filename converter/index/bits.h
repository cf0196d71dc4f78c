/* Columns of numbers that take as many bits each as the largest of them needs. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CT_BITS_MAX = 57 };              /* a number and the bits before it in its first byte fit one load */

static inline unsigned ct_bits_width(uint64_t all)
{
    return all ? 64u - (unsigned)__builtin_clzll(all) : 0;
}

/* Bytes of a column. */
static inline size_t ct_bits_size(unsigned count, unsigned width)
{
    return ((size_t)count * width + 7) / 8;
}

/* HOT: appends a column at `p`, behind which 8 bytes more can be written; returns its end. */
uint8_t *ct_bits_put(uint8_t *p, const uint64_t *column, unsigned count, unsigned width);

/* Number `i`; 8 bytes from its first one on can be read. */
static inline uint64_t ct_bits_get(const uint8_t *column, unsigned width, unsigned i)
{
    size_t bit = (size_t)i * width;
    uint64_t value;

    memcpy(&value, column + bit / 8, sizeof value);
    return value >> bit % 8 & ((UINT64_C(1) << width) - 1);
}

/* HOT: all of them; 8 bytes behind the column can be read. */
void ct_bits_all(const uint8_t *column, unsigned width, unsigned count, uint64_t *ret);
