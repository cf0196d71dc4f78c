/* Numbers by eight digits, text by eight clean bytes at a time. */
#include "converter/json.h"

char *ct_json_u64_long(char *p, uint64_t v)
{
    enum { STEP = CT_JSON_EIGHT };

    if (v >= (uint64_t)STEP * STEP) {
        p = ct_json_up_to_eight(p, (uint32_t)(v / STEP / STEP));
        v %= (uint64_t)STEP * STEP;
        p = ct_json_eight(p, (uint32_t)(v / STEP));
    } else {
        p = ct_json_up_to_eight(p, (uint32_t)(v / STEP));
    }
    return ct_json_eight(p, (uint32_t)(v % STEP));
}

char *ct_json_us_long(char *p, int64_t ns)
{
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    unsigned rest = (unsigned)(v % 1000);
    char decimals[4] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };

    if (ns < 0)
        *p++ = '-';
    p = ct_json_u64(p, v / 1000);
    memcpy(p, decimals, 4);
    return p + 4;
}

/* Eight hex digits of the low 32 bits, all at once; the first one lowest. */
static uint64_t hex_word(uint64_t v)
{
    uint64_t letters;

    v = (v & 0xffff) << 32 | v >> 16;
    v = (v & UINT64_C(0x000000ff000000ff)) << 16 | (v >> 8 & UINT64_C(0x000000ff000000ff));
    v = (v & UINT64_C(0x000f000f000f000f)) << 8 | (v >> 4 & UINT64_C(0x000f000f000f000f));
    letters = (v + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return v + CT_JSON_ZEROS + letters * ('a' - '9' - 1);
}

char *ct_json_hex(char *p, uint64_t v)
{
    unsigned digits = v ? (67u - (unsigned)__builtin_clzll(v)) / 4 : 1, skip = 16 - digits;
    unsigned __int128 text = ((unsigned __int128)hex_word(v & UINT32_MAX) << 64 | hex_word(v >> 32)) >> (8 * skip);
    uint64_t words[2] = { htole64((uint64_t)text), htole64((uint64_t)(text >> 64)) };

    p = CT_JSON_PUT(p, "0x");
    memcpy(p, words, 16);
    return p + digits;
}

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

char *ct_json_text(char *p, const char *text, size_t size)
{
    size_t i = 0;

    while (i < size) {
        size_t used;

        if (size - i >= 8) {
            uint64_t w;

            memcpy(&w, text + i, 8);
            memcpy(p, text + i, 8);
            if (clean(w)) {
                p += 8;
                i += 8;
                continue;
            }
        }
        p = escape(p, (const unsigned char *)text + i, size - i, &used);
        i += used;
    }
    return p;
}
