/* Whether some bytes are one JSON object. */
#include "viewer/view/json_check.h"

#include <stdint.h>
#include <string.h>

struct reader {
    const char *at, *end;
};

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
}

static bool take(struct reader *r, char c)
{
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* A character beyond ASCII: well-formed, not overlong, no surrogate. */
static bool take_utf8(struct reader *r)
{
    unsigned char first = (unsigned char)*r->at;
    unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t c = first & (0x3fu >> more);

    if (first < 0xc2 || first > 0xf4 || (size_t)(r->end - r->at) <= more)
        return false;
    for (unsigned i = 1; i <= more; i++) {
        if (((unsigned char)r->at[i] & 0xc0) != 0x80)
            return false;
        c = c << 6 | ((unsigned char)r->at[i] & 0x3f);
    }
    if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c <= 0xdfff))
        return false;
    r->at += more + 1;
    return true;
}

static bool take_escape(struct reader *r)
{
    r->at++;
    if (r->at >= r->end)
        return false;
    if (*r->at != 'u')
        return *r->at && strchr("\"\\/bfnrt", *r->at) && r->at++;
    for (unsigned i = 0; i < 4; i++) {
        r->at++;
        if (r->at >= r->end || !*r->at || !strchr("0123456789abcdefABCDEF", *r->at))
            return false;
    }
    r->at++;
    return true;
}

static bool take_string(struct reader *r)
{
    if (!take(r, '"'))
        return false;
    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at;

        if (c < 0x20)
            return false;
        if (c == '\\' ? !take_escape(r) : c >= 0x80 ? !take_utf8(r) : !r->at++)
            return false;
    }
    return take(r, '"');
}

static bool take_digits(struct reader *r)
{
    const char *begin = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > begin;
}

static bool take_number(struct reader *r)
{
    take(r, '-');
    if (!take(r, '0') && !take_digits(r))
        return false;
    if (take(r, '.') && !take_digits(r))
        return false;
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (!take(r, '-'))
            take(r, '+');
        return take_digits(r);
    }
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
        return false;
    r->at += size;
    return true;
}

static bool take_value(struct reader *r, unsigned depth);

/* What stands between the brackets, up to the closing one. */
static bool take_members(struct reader *r, char close, unsigned depth)
{
    skip_blanks(r);
    if (take(r, close))
        return true;
    do {
        if (close == '}') {
            skip_blanks(r);
            if (!take_string(r))
                return false;
            skip_blanks(r);
            if (!take(r, ':'))
                return false;
        }
        if (!take_value(r, depth))
            return false;
    } while (take(r, ','));
    return take(r, close);
}

/* A value with the blanks around it. */
static bool take_value(struct reader *r, unsigned depth)
{
    bool good;

    skip_blanks(r);
    if (r->at >= r->end)
        return false;
    if (*r->at == '{' || *r->at == '[')
        good = depth < CT_JSON_DEPTH_MAX && take_members(r, *r->at++ == '{' ? '}' : ']', depth + 1);
    else if (*r->at == '"')
        good = take_string(r);
    else
        good = take_word(r, "true") || take_word(r, "false") || take_word(r, "null") || take_number(r);
    skip_blanks(r);
    return good;
}

bool ct_json_is_object(const char *text, size_t size)
{
    struct reader r = { text, text + size };

    skip_blanks(&r);
    return r.at < r.end && *r.at == '{' && take_value(&r, 0) && r.at == r.end;
}
