/* Numbers, times and quoted texts to words, and back without loss. */
#include "converter/text/words.h"

#include <errno.h>

static const char digits[] = "0123456789abcdef";

void ct_words_number(struct ct_output *out, uint64_t v)
{
    char word[20], *p = word + sizeof word;

    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    ct_output_write(out, p, (size_t)(word + sizeof word - p));
}

void ct_words_signed(struct ct_output *out, int64_t v)
{
    if (v < 0)
        ct_output_write(out, "-", 1);
    ct_words_number(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void ct_words_hex(struct ct_output *out, uint64_t v)
{
    char word[18], *p = word + sizeof word;

    do
        *--p = digits[v & 15];
    while (v >>= 4);
    *--p = 'x';
    *--p = '0';
    ct_output_write(out, p, (size_t)(word + sizeof word - p));
}

void ct_words_bytes(struct ct_output *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char *p = ct_output_room(out, 2);

        *p++ = digits[bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
        ct_output_advance(out, p);
    }
}

void ct_words_time(struct ct_output *out, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, rest = size % 1000000000;
    char word[10];

    if (ns < 0)
        ct_output_write(out, "-", 1);
    ct_words_number(out, size / 1000000000);
    word[0] = '.';
    for (int i = 9; i > 0; i--, rest /= 10)
        word[i] = (char)('0' + rest % 10);
    ct_output_write(out, word, sizeof word);
}

/* Bytes of the UTF-8 character at `p` that a terminal shows as a character, 0 when it is none. */
static size_t shown(const uint8_t *p, size_t left)
{
    uint32_t c;
    size_t size;

    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f && p[0] != '"' && p[0] != '\\';
    size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || size > left)
        return 0;
    c = p[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < 0xa0 || (size == 3 && c < 0x800) || (size == 4 && c < 0x10000) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ||
        (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        return 0;               /* overlong, or it would end lines or turn the direction of writing */
    return size;
}

void ct_words_shown(struct ct_output *out, struct ct_text text)
{
    const uint8_t *p = (const uint8_t *)text.at;

    for (size_t i = 0; i < text.size;) {
        size_t size = shown(p + i, text.size - i);
        char escape[4] = { '\\', 'x', digits[p[i] >> 4], digits[p[i] & 15] };

        if (size) {
            ct_output_write(out, p + i, size);
            i += size;
            continue;
        }
        if (p[i] == '"' || p[i] == '\\' || p[i] == '\n' || p[i] == '\t') {
            escape[1] = p[i] == '\n' ? 'n' : p[i] == '\t' ? 't' : (char)p[i];
            ct_output_write(out, escape, 2);
        } else {
            ct_output_write(out, escape, 4);
        }
        i++;
    }
}

void ct_words_quoted(struct ct_output *out, struct ct_text text)
{
    ct_output_write(out, "\"", 1);
    ct_words_shown(out, text);
    ct_output_write(out, "\"", 1);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct ct_text ct_words_next(struct ct_text *line)
{
    const char *p = line->at, *end = p + line->size, *from;
    bool quoted = false;

    while (p < end && blank(*p))
        p++;
    from = p;
    if (p < end && *p == '#')
        end = p;
    while (p < end && (quoted || !blank(*p))) {
        if (quoted && *p == '\\' && p + 1 < end)
            p++;
        else if (*p == '"')
            quoted = !quoted;
        p++;
    }
    line->size = (size_t)(line->at + line->size - p);
    line->at = p;
    return (struct ct_text){ from, (size_t)(p - from) };
}

bool ct_words_pair(struct ct_text word, struct ct_text *ret_name, struct ct_text *ret_value)
{
    const char *at = word.size ? memchr(word.at, '=', word.size) : NULL;

    if (!at)
        return false;
    *ret_name = (struct ct_text){ word.at, (size_t)(at - word.at) };
    *ret_value = (struct ct_text){ at + 1, word.size - ret_name->size - 1 };
    return true;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

bool ct_words_get_number(struct ct_text word, uint64_t *ret)
{
    int base = word.size > 2 && word.at[0] == '0' && word.at[1] == 'x' ? 16 : 10;
    uint64_t v = 0;

    if (word.size == 0)
        return false;
    for (size_t i = base == 16 ? 2 : 0; i < word.size; i++) {
        int d = digit(word.at[i]);

        if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) || __builtin_add_overflow(v, (uint64_t)d, &v))
            return false;
    }
    *ret = v;
    return true;
}

bool ct_words_get_signed(struct ct_text word, int64_t *ret)
{
    bool minus = word.size && word.at[0] == '-';
    uint64_t v;

    if (!ct_words_get_number((struct ct_text){ word.at + minus, word.size - minus }, &v) ||
        v > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = (int64_t)(minus ? 0 - v : v);
    return true;
}

bool ct_words_get_bytes(struct ct_text word, uint8_t *ret, size_t size)
{
    if (word.size != size * 2)
        return false;
    for (size_t i = 0; i < word.size; i++)
        if (digit(word.at[i]) > 15)
            return false;
    for (size_t i = 0; i < size; i++)
        ret[i] = (uint8_t)(digit(word.at[2 * i]) << 4 | digit(word.at[2 * i + 1]));
    return true;
}

bool ct_words_get_time(struct ct_text word, int64_t *ret)
{
    bool minus = word.size && word.at[0] == '-';
    const char *point = word.size ? memchr(word.at, '.', word.size) : NULL;
    size_t whole = point ? (size_t)(point - word.at) : word.size;
    struct ct_text fraction = { NULL, 0 };
    uint64_t seconds, ns = 0;

    if (point)
        fraction = (struct ct_text){ point + 1, word.size - whole - 1 };
    if (!ct_words_get_number((struct ct_text){ word.at + minus, whole - minus }, &seconds) || seconds > INT64_MAX / 2000000000)
        return false;
    if (point && (!ct_words_get_number(fraction, &ns) || fraction.size > 9))
        return false;
    for (size_t i = point ? fraction.size : 9; i < 9; i++)
        ns *= 10;
    *ret = (int64_t)(seconds * 1000000000 + ns);
    *ret = minus ? -*ret : *ret;
    return true;
}

bool ct_words_get_quoted(struct ct_text word, char *to, size_t room, size_t *ret_size)
{
    size_t size = 0;

    if (word.size < 2 || word.at[0] != '"' || word.at[word.size - 1] != '"')
        return false;
    for (size_t i = 1; i < word.size - 1; i++) {
        char c = word.at[i];

        if (c == '"' || size >= room)
            return false;
        if (c == '\\') {
            if (++i >= word.size - 1)
                return false;
            c = word.at[i] == 'n' ? '\n' : word.at[i] == 't' ? '\t' : word.at[i];
            if (c == 'x') {
                if (i + 2 >= word.size - 1 || digit(word.at[i + 1]) > 15 || digit(word.at[i + 2]) > 15)
                    return false;
                c = (char)(digit(word.at[i + 1]) << 4 | digit(word.at[i + 2]));
                i += 2;
            }
        }
        to[size++] = c;
    }
    *ret_size = size;
    return true;
}

static const char *const sets[][8] = {
    [CT_WORDS_CLOCKS] = { [CT_CLOCK_TSC] = "tsc", [CT_CLOCK_CNTVCT] = "cntvct", [CT_CLOCK_MONOTONIC] = "monotonic" },
    [CT_WORDS_ENDS] = { "exit", "signal", "stop", "size", "exec", "trouble", "recovered" },
    [CT_WORDS_STATES] = { "running", "waiting", "in_call", "exited" },
    [CT_WORDS_SHAPES] = { "INSTANT", "BEGIN", "END", "COMPLETE", "STATE" },
};

const char *ct_words_of(enum ct_words_set set, uint64_t number)
{
    return number < 8 ? sets[set][number] : NULL;
}

int ct_words_number_of(enum ct_words_set set, struct ct_text word)
{
    for (int i = 0; i < 8; i++)
        if (sets[set][i] && ct_words_are(word, sets[set][i]))
            return i;
    return -1;
}
