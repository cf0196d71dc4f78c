/* Numbers by three or eight digits, text by eight clean bytes at a time. */
#include "converter/json.h"

/* --- tables --- */

#define DIGIT(n) ((char)('0' + (n)))
#define TEN(ONE, hundreds, tens) \
    ONE(hundreds, tens, 0), ONE(hundreds, tens, 1), ONE(hundreds, tens, 2), ONE(hundreds, tens, 3), \
    ONE(hundreds, tens, 4), ONE(hundreds, tens, 5), ONE(hundreds, tens, 6), ONE(hundreds, tens, 7), \
    ONE(hundreds, tens, 8), ONE(hundreds, tens, 9)
#define HUNDRED(ONE, hundreds) \
    TEN(ONE, hundreds, 0), TEN(ONE, hundreds, 1), TEN(ONE, hundreds, 2), TEN(ONE, hundreds, 3), TEN(ONE, hundreds, 4), \
    TEN(ONE, hundreds, 5), TEN(ONE, hundreds, 6), TEN(ONE, hundreds, 7), TEN(ONE, hundreds, 8), TEN(ONE, hundreds, 9)
#define THOUSAND(ONE) \
    HUNDRED(ONE, 0), HUNDRED(ONE, 1), HUNDRED(ONE, 2), HUNDRED(ONE, 3), HUNDRED(ONE, 4), \
    HUNDRED(ONE, 5), HUNDRED(ONE, 6), HUNDRED(ONE, 7), HUNDRED(ONE, 8), HUNDRED(ONE, 9)

#define SHORT(a, b, c) \
    { { (a) ? DIGIT(a) : (b) ? DIGIT(b) : DIGIT(c), (a) ? DIGIT(b) : (b) ? DIGIT(c) : 0, (a) ? DIGIT(c) : 0 }, \
      (a) ? 3 : (b) ? 2 : 1 }
#define DECIMALS(a, b, c) { '.', DIGIT(a), DIGIT(b), DIGIT(c) }

const struct ct_json_short ct_json_short[1000] = { THOUSAND(SHORT) };
const char ct_json_decimals[1000 + 1][4] = { THOUSAND(DECIMALS) };

/* --- numbers --- */

enum { EIGHT = 100000000 };             /* 10^8: what has at most eight digits is less */
#define ZEROS UINT64_C(0x3030303030303030)              /* eight times '0' */

/*
 * The eight digits of `v` < 10^8 as values in the bytes of a word, the first one lowest: three multiplications
 * divide all parts at once (by 10000, 100, 10).
 */
static uint64_t eight_values(uint32_t v)
{
    uint64_t parts = v / 10000 | (uint64_t)(v % 10000) << 32;
    uint64_t hundreds = ((parts * 10486) >> 20) & UINT64_C(0x7f0000007f);
    uint64_t pairs = ((parts - 100 * hundreds) << 16) + hundreds;
    uint64_t tens = ((pairs * 103) >> 10) & UINT64_C(0x000f000f000f000f);

    return tens + ((pairs - 10 * tens) << 8);
}

/* Eight digits, leading zeros too. */
static char *eight(char *p, uint32_t v)
{
    uint64_t digits = htole64(eight_values(v) + ZEROS);

    memcpy(p, &digits, 8);
    return p + 8;
}

/* As many digits as `v` < 10^8 has; writes eight bytes: what is behind the digits is to be written over. */
static char *up_to_eight(char *p, uint32_t v)
{
    uint64_t values = eight_values(v);
    unsigned leading = (unsigned)__builtin_ctzll(values | UINT64_C(1) << 56) & ~7u;
    uint64_t digits = htole64((values + ZEROS) >> leading);

    memcpy(p, &digits, 8);
    return p + 8 - leading / 8;
}

char *ct_json_u64_long(char *p, uint64_t v)
{
    if (v < EIGHT)
        return up_to_eight(p, (uint32_t)v);
    if (v >= (uint64_t)EIGHT * EIGHT) {
        p = up_to_eight(p, (uint32_t)(v / EIGHT / EIGHT));
        v %= (uint64_t)EIGHT * EIGHT;
        p = eight(p, (uint32_t)(v / EIGHT));
    } else {
        p = up_to_eight(p, (uint32_t)(v / EIGHT));
    }
    return eight(p, (uint32_t)(v % EIGHT));
}

char *ct_json_us_long(char *p, int64_t ns)
{
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    if (ns < 0)
        *p++ = '-';
    p = ct_json_u64(p, v / 1000);
    memcpy(p, ct_json_decimals[v % 1000], 4);
    return p + 4;
}

char *ct_json_us_far(char *p, int64_t ns, struct ct_json_near *near)
{
    uint64_t ms = (uint64_t)ns / CT_JSON_MILLION;

    if (ns < CT_JSON_MILLION)
        return ct_json_us(p, ns);
    near->from = (int64_t)(ms * CT_JSON_MILLION);
    near->size = (uint64_t)(ct_json_u64(near->text, ms) - near->text);
    return ct_json_us_near(p, ns, near);
}

/* --- hex --- */

/* Eight hex digits of the low 32 bits, all at once; the first one lowest. */
static uint64_t hex_word(uint64_t v)
{
    uint64_t letters;

    v = (v & 0xffff) << 32 | v >> 16;
    v = (v & UINT64_C(0x000000ff000000ff)) << 16 | (v >> 8 & UINT64_C(0x000000ff000000ff));
    v = (v & UINT64_C(0x000f000f000f000f)) << 8 | (v >> 4 & UINT64_C(0x000f000f000f000f));
    letters = (v + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return v + ZEROS + letters * ('a' - '9' - 1);
}

#define SIXTEEN(ONE, high) \
    ONE(high, 0), ONE(high, 1), ONE(high, 2), ONE(high, 3), ONE(high, 4), ONE(high, 5), ONE(high, 6), ONE(high, 7), \
    ONE(high, 8), ONE(high, 9), ONE(high, 10), ONE(high, 11), ONE(high, 12), ONE(high, 13), ONE(high, 14), ONE(high, 15)
#define HEX_DIGIT(n) ((char)((n) < 10 ? '0' + (n) : 'a' + (n) - 10))
#define HEX(a, b) { HEX_DIGIT(a), HEX_DIGIT(b) }

static const char hex_pairs[256][2] = {
    SIXTEEN(HEX, 0), SIXTEEN(HEX, 1), SIXTEEN(HEX, 2), SIXTEEN(HEX, 3), SIXTEEN(HEX, 4), SIXTEEN(HEX, 5),
    SIXTEEN(HEX, 6), SIXTEEN(HEX, 7), SIXTEEN(HEX, 8), SIXTEEN(HEX, 9), SIXTEEN(HEX, 10), SIXTEEN(HEX, 11),
    SIXTEEN(HEX, 12), SIXTEEN(HEX, 13), SIXTEEN(HEX, 14), SIXTEEN(HEX, 15),
};

static char *hex_any(char *p, uint64_t v)
{
    unsigned digits = v ? (67u - (unsigned)__builtin_clzll(v)) / 4 : 1, skip = 16 - digits;
    unsigned __int128 text = ((unsigned __int128)hex_word(v & UINT32_MAX) << 64 | hex_word(v >> 32)) >> (8 * skip);
    uint64_t words[2] = { htole64((uint64_t)text), htole64((uint64_t)(text >> 64)) };

    memcpy(p, words, 16);
    return p + digits;
}

char *ct_json_hex(char *p, uint64_t v)
{
    p = CT_JSON_PUT(p, "0x");
    if (v >> 44 == 0 || v >> 48 != 0)   /* not twelve digits, as addresses of heaps, stacks and libraries have */
        return hex_any(p, v);
    for (int pair = 0; pair < 6; pair++)
        memcpy(p + 2 * pair, hex_pairs[v >> (40 - 8 * pair) & 0xff], 2);
    return p + 12;
}

/* --- text --- */

/* Length of the well-formed UTF-8 sequence at `s`, 0 when there is none. */
static size_t utf8_size(const unsigned char *s, size_t left)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t size = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0x7fu >> size);

    if (s[0] < 0xc2 || s[0] > 0xf4 || left < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size;
}

/* One character that cannot be copied blindly; `*size` bytes of it are used. */
static char *escape(char *p, const unsigned char *s, size_t left, size_t *size)
{
    *size = 1;
    if (*s >= 0x80) {
        size_t n = utf8_size(s, left);

        if (n == 0)
            return CT_JSON_PUT(p, "\\ufffd");
        memcpy(p, s, n);
        *size = n;
        return p + n;
    }
    switch (*s) {
    case '"':
        return CT_JSON_PUT(p, "\\\"");
    case '\\':
        return CT_JSON_PUT(p, "\\\\");
    case '\n':
        return CT_JSON_PUT(p, "\\n");
    case '\t':
        return CT_JSON_PUT(p, "\\t");
    }
    if (*s < 0x20 || *s == 0x7f) {
        p = CT_JSON_PUT(p, "\\u00");
        *p++ = (char)('0' + (*s >> 4));
        *p++ = "0123456789abcdef"[*s & 15];
        return p;
    }
    *p = (char)*s;
    return p + 1;
}

/* Whether none of eight bytes is a control, a quote, a backslash or beyond ASCII. */
static int clean(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
    uint64_t bad = (w - ones * 0x20) | (quote - ones) | (slash - ones) | w | (w + ones);

    return (bad & ones * 0x80) == 0;
}

/* Less than eight bytes, and spaces. */
static uint64_t few(const char *s, size_t size)
{
    uint64_t w = 0x2020202020202020u;

    memcpy(&w, s, size);
    return w;
}

char *ct_json_text(char *p, const char *text, size_t size)
{
    size_t i = 0;

    while (i < size) {
        size_t used, next = size - i < 8 ? size - i : 8;
        uint64_t w = next < 8 ? few(text + i, next) : 0;

        if (next == 8)
            memcpy(&w, text + i, 8);
        if (clean(w)) {
            memcpy(p, text + i, next);
            p += next;
            i += next;
            continue;
        }
        p = escape(p, (const unsigned char *)text + i, size - i, &used);
        i += used;
    }
    return p;
}
