/*
 * JSON by hand, for sinks that write tens of millions of numbers a second: each function writes at `p`, which has room,
 * and returns the byte after.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    CT_JSON_NUMBER_MAX = 24,                /* bytes of the longest number */
    CT_JSON_ESCAPE_MAX = 6,                 /* bytes that one byte of text can become */
};

/* HOT: a literal without its NUL. */
#define CT_JSON_PUT(p, literal) (memcpy((p), (literal), sizeof(literal) - 1), (p) + sizeof(literal) - 1)

extern const char ct_json_digits[200];      /* "00" "01" ... "99" */

char *ct_json_u64_long(char *p, uint64_t v);

static inline char *ct_json_u64(char *p, uint64_t v)
{
    if (v < 10) {
        *p = (char)('0' + v);
        return p + 1;
    }
    if (v < 100) {
        memcpy(p, ct_json_digits + 2 * v, 2);
        return p + 2;
    }
    return ct_json_u64_long(p, v);
}

static inline char *ct_json_i64(char *p, int64_t v)
{
    if (v < 0) {
        *p++ = '-';
        return ct_json_u64(p, 0 - (uint64_t)v);
    }
    return ct_json_u64(p, (uint64_t)v);
}

/* ns as microseconds with three decimals. */
static inline char *ct_json_us(char *p, int64_t ns)
{
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    unsigned rest = (unsigned)(v % 1000);

    if (ns < 0)
        *p++ = '-';
    p = ct_json_u64(p, v / 1000);
    p[0] = '.';
    p[1] = (char)('0' + rest / 100);
    memcpy(p + 2, ct_json_digits + 2 * (rest % 100), 2);
    return p + 4;
}

/* 0x and hex digits, no quotes. */
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
