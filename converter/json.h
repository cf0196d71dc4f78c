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

/* Seven digits and more. */
char *ct_json_u64_long(char *p, uint64_t v);

/*
 * HOT: numbers below 1000 as text: what a record says is as a rule made of one or two of them.  The two tables take 8 KB
 * of the nearest cache, and a third of the instructions of arithmetic.
 */
struct ct_json_short {
    char text[3];                       /* no leading zeros */
    uint8_t size;
};

extern const struct ct_json_short ct_json_short[1000];
extern const char ct_json_decimals[1000 + 1][4];        /* .000 to .999; one more may be read */

enum { CT_JSON_THOUSAND = 1000, CT_JSON_MILLION = 1000000 };

/* `v` < 1000; writes four bytes. */
static inline char *ct_json_below_thousand(char *p, uint64_t v)
{
    memcpy(p, &ct_json_short[v], 4);
    return p + ct_json_short[v].size;
}

/* Room for CT_JSON_NUMBER_MAX, always. */
static inline char *ct_json_u64(char *p, uint64_t v)
{
    uint32_t thousands;

    if (v < CT_JSON_THOUSAND)
        return ct_json_below_thousand(p, v);
    if (__builtin_expect(v >= CT_JSON_MILLION, 0))
        return ct_json_u64_long(p, v);
    thousands = (uint32_t)v / CT_JSON_THOUSAND;
    p = ct_json_below_thousand(p, thousands);
    memcpy(p, ct_json_decimals[(uint32_t)v - thousands * CT_JSON_THOUSAND] + 1, 4);
    return p + 3;
}

static inline char *ct_json_i64(char *p, int64_t v)
{
    if (v < 0) {
        *p++ = '-';
        return ct_json_u64(p, 0 - (uint64_t)v);
    }
    return ct_json_u64(p, (uint64_t)v);
}

/* A millisecond and more, or negative. */
char *ct_json_us_long(char *p, int64_t ns);

/* ns as microseconds with three decimals; room for CT_JSON_NUMBER_MAX, always. */
static inline char *ct_json_us(char *p, int64_t ns)
{
    uint32_t us = (uint32_t)ns / CT_JSON_THOUSAND;

    if (__builtin_expect((uint64_t)ns >= CT_JSON_MILLION, 0))
        return ct_json_us_long(p, ns);
    p = ct_json_below_thousand(p, us);
    memcpy(p, ct_json_decimals[(uint32_t)ns - us * CT_JSON_THOUSAND], 4);
    return p + 4;
}

/* The digits that times share which lie within the same millisecond. */
struct ct_json_near {
    int64_t from;                       /* ns of the millisecond */
    uint64_t size;                      /* of `text` */
    char text[16];
};

#define CT_JSON_NEAR_NONE { .from = INT64_MIN }

/* A time that lies in another millisecond than the last one. */
char *ct_json_us_far(char *p, int64_t ns, struct ct_json_near *near);

/* The same for a time that lies near the last one; writes sixteen bytes at least. */
static inline char *ct_json_us_near(char *p, int64_t ns, struct ct_json_near *near)
{
    uint64_t rest = (uint64_t)ns - (uint64_t)near->from;
    uint32_t us = (uint32_t)rest / CT_JSON_THOUSAND;

    if (__builtin_expect(rest >= CT_JSON_MILLION, 0))
        return ct_json_us_far(p, ns, near);
    memcpy(p, near->text, sizeof near->text);
    p += near->size;
    memcpy(p, ct_json_decimals[us] + 1, 4);
    memcpy(p + 3, ct_json_decimals[(uint32_t)rest - us * CT_JSON_THOUSAND], 4);
    return p + 7;
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
