/*
 * JSON by hand, for sinks that write tens of millions of numbers a second: each function writes at `p`, which has room,
 * and returns the byte after.
 */
#pragma once

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    CT_JSON_NUMBER_MAX = 24,                /* bytes of the longest number */
    CT_JSON_ESCAPE_MAX = 6,                 /* bytes that one byte of text can become */
};

/* HOT: a literal without its NUL. */
#define CT_JSON_PUT(p, literal) (memcpy((p), (literal), sizeof(literal) - 1), (p) + sizeof(literal) - 1)

enum { CT_JSON_EIGHT = 100000000 };         /* 10^8: what has at most eight digits is less */
#define CT_JSON_ZEROS UINT64_C(0x3030303030303030)      /* eight times '0' */

/*
 * HOT: the eight digits of `v` < 10^8 as values in the bytes of a word, the first one lowest: three multiplications
 * divide all parts at once (by 10000, 100, 10), which beats a table because nothing goes through memory.
 */
static inline uint64_t ct_json_eight_values(uint32_t v)
{
    uint64_t parts = v / 10000 | (uint64_t)(v % 10000) << 32;
    uint64_t hundreds = ((parts * 10486) >> 20) & UINT64_C(0x7f0000007f);
    uint64_t pairs = ((parts - 100 * hundreds) << 16) + hundreds;
    uint64_t tens = ((pairs * 103) >> 10) & UINT64_C(0x000f000f000f000f);

    return tens + ((pairs - 10 * tens) << 8);
}

/* Eight digits, leading zeros too. */
static inline char *ct_json_eight(char *p, uint32_t v)
{
    uint64_t digits = htole64(ct_json_eight_values(v) + CT_JSON_ZEROS);

    memcpy(p, &digits, 8);
    return p + 8;
}

/* As many digits as `v` < 10^8 has; writes eight bytes: what is behind the digits is to be written over. */
static inline char *ct_json_up_to_eight(char *p, uint32_t v)
{
    uint64_t values = ct_json_eight_values(v);
    unsigned leading = (unsigned)__builtin_ctzll(values | UINT64_C(1) << 56) & ~7u;
    uint64_t digits = htole64((values + CT_JSON_ZEROS) >> leading);

    memcpy(p, &digits, 8);
    return p + 8 - leading / 8;
}

/* Nine digits and more. */
char *ct_json_u64_long(char *p, uint64_t v);

/* Room for CT_JSON_NUMBER_MAX, always. */
static inline char *ct_json_u64(char *p, uint64_t v)
{
    return __builtin_expect(v < CT_JSON_EIGHT, 1) ? ct_json_up_to_eight(p, (uint32_t)v) : ct_json_u64_long(p, v);
}

static inline char *ct_json_i64(char *p, int64_t v)
{
    if (v < 0) {
        *p++ = '-';
        return ct_json_u64(p, 0 - (uint64_t)v);
    }
    return ct_json_u64(p, (uint64_t)v);
}

/* The eight characters dddd.ddd of `ns` < 10^7 as microseconds, leading zeros too; the first one lowest. */
static inline uint64_t ct_json_us_word(uint64_t values)
{
    uint64_t digits = values + CT_JSON_ZEROS;

    return (digits >> 8 & UINT64_C(0xffffffff)) | (uint64_t)'.' << 32 | (digits & UINT64_C(0xffffff0000000000));
}

enum { CT_JSON_US_NEAR = 10000000 };    /* ns: what has at most four digits of microseconds is less */

/* What is beyond CT_JSON_US_NEAR, or negative. */
char *ct_json_us_long(char *p, int64_t ns);

/* ns as microseconds with three decimals; writes eight bytes. */
static inline char *ct_json_us(char *p, int64_t ns)
{
    uint64_t values, word;
    unsigned leading;

    if (__builtin_expect((uint64_t)ns >= CT_JSON_US_NEAR, 0))
        return ct_json_us_long(p, ns);
    values = ct_json_eight_values((uint32_t)ns);
    leading = (unsigned)__builtin_ctzll((values >> 8 & 0xffffff) | 1 << 24) & ~7u;
    word = htole64(ct_json_us_word(values) >> leading);
    memcpy(p, &word, 8);
    return p + 8 - leading / 8;
}

/* The digits that times share which lie within the same ten milliseconds.  A zeroed one is empty. */
struct ct_json_near {
    uint64_t part;                      /* ns / CT_JSON_US_NEAR */
    uint64_t size;                      /* of `text` */
    char text[16];
};

/* The same for a time that lies near the last one; writes sixteen bytes at least. */
static inline char *ct_json_us_near(char *p, int64_t ns, struct ct_json_near *near)
{
    uint64_t part = (uint64_t)ns / CT_JSON_US_NEAR, word;

    if (__builtin_expect(ns < CT_JSON_US_NEAR || part >= CT_JSON_EIGHT, 0))
        return ct_json_us(p, ns);
    if (__builtin_expect(near->part != part, 0)) {
        near->part = part;
        near->size = (uint64_t)(ct_json_up_to_eight(near->text, (uint32_t)part) - near->text);
    }
    memcpy(p, near->text, sizeof near->text);
    word = htole64(ct_json_us_word(ct_json_eight_values((uint32_t)((uint64_t)ns - part * CT_JSON_US_NEAR))));
    memcpy(p + near->size, &word, 8);
    return p + near->size + 8;
}

/* 0x and hex digits, no quotes; room for CT_JSON_NUMBER_MAX, always. */
char *ct_json_hex(char *p, uint64_t v);

/*
 * Text as it stands between quotes; room for CT_JSON_ESCAPE_MAX * size.  What is not UTF-8 becomes U+FFFD: a reader
 * would refuse the whole file for it.
 */
char *ct_json_text(char *p, const char *text, size_t size);

static inline char *ct_json_string(char *p, const char *string)
{
    return ct_json_text(p, string, strlen(string));
}
