/*
 * Columns of bits, eight numbers at once: they take as many bytes as each of them has bits, so for a width that the compiler
 * knows there is nothing left to reckon but shifts by constants.
 *
 * HOT: each slice of an index is coded once, and tiles read thousands.  Budget: 0.5 ns a number.
 */
#include "converter/index/bits.h"

#define WIDTHS(X) \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) \
    X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) \
    X(41) X(42) X(43) X(44) X(45) X(46) X(47) X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57)

_Static_assert(CT_BITS_MAX == 57, "there is a case for each width");

enum { AT_ONCE = 8 };

static inline __attribute__((always_inline)) void put(uint8_t *p, const uint64_t *column, unsigned groups, const unsigned width)
{
    for (; groups > 0; groups--, column += AT_ONCE) {
        uint64_t all = 0;
        unsigned fill = 0;

#pragma GCC unroll 8
        for (unsigned i = 0; i < AT_ONCE; i++) {
            all |= column[i] << fill;
            fill += width;
            if (fill < 64)
                continue;
            memcpy(p, &all, sizeof all);
            p += sizeof all;
            fill -= 64;
            all = fill ? column[i] >> (width - fill) : 0;
        }
        memcpy(p, &all, sizeof all);    /* what is too much is overwritten by what follows */
        p += fill / 8;
    }
}

static inline __attribute__((always_inline)) void get(const uint8_t *p, uint64_t *ret, unsigned groups, const unsigned width)
{
    const uint64_t mask = (UINT64_C(1) << width) - 1;

    for (; groups > 0; groups--, ret += AT_ONCE, p += width) {
#pragma GCC unroll 8
        for (unsigned i = 0; i < AT_ONCE; i++) {
            uint64_t value;

            memcpy(&value, p + i * width / 8, sizeof value);
            ret[i] = value >> i * width % 8 & mask;
        }
    }
}

uint8_t *ct_bits_put(uint8_t *p, const uint64_t *column, unsigned count, unsigned width)
{
    uint8_t *end = p + ct_bits_size(count, width);
    unsigned groups = count / AT_ONCE, rest = count % AT_ONCE;
    uint64_t all = 0;
    unsigned fill = 0;

    switch (width) {
#define CASE(w) case w: put(p, column, groups, w); break;
    WIDTHS(CASE)
#undef CASE
    default:
        return p;
    }
    p += (size_t)groups * width;
    column += count - rest;
    for (unsigned i = 0; i < rest; i++) {
        all |= column[i] << fill;
        memcpy(p, &all, sizeof all);
        fill += width;
        p += fill / 8;
        all = fill / 8 < 8 ? all >> fill / 8 * 8 : 0;
        fill %= 8;
    }
    return end;
}

void ct_bits_all(const uint8_t *column, unsigned width, unsigned count, uint64_t *ret)
{
    unsigned whole = count / AT_ONCE * AT_ONCE;

    switch (width) {
#define CASE(w) case w: get(column, ret, count / AT_ONCE, w); break;
    WIDTHS(CASE)
#undef CASE
    default:
        memset(ret, 0, count * sizeof *ret);
        return;
    }
    for (unsigned i = whole; i < count; i++)
        ret[i] = ct_bits_get(column, width, i);
}
