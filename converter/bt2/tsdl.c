/* The few words of a CTF 1.8 metadata text that say where its packets begin and whose they are. */
#include "converter/bt2/tsdl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/read/list.h"

enum { TYPES_MAX = 64, TYPE_NAME = 64, BITS_MAX = 1 << 16, MEMBERS_MAX = 64, SCALAR_WORDS = 64, TRACES_MAX = 16, STRICTEST = 64 };

struct word {
    const char *at;
    size_t size;
};

/* Numbers that have a name. */
struct type {
    char name[TYPE_NAME];
    unsigned size, align;               /* bits */
};

struct reading {
    CT_LIST(struct word) words;
    struct type types[TYPES_MAX];
    unsigned type_count;
};

/* One member of a structure: where it lies. */
struct member {
    struct word name;
    unsigned at, size, count;           /* bits; elements of an array, else 1 */
};

/* --- words --- */

/* Length of a comment, a string or blanks at `s`, which are stepped over or are one word. */
static size_t comment(const char *s, size_t left)
{
    const char *end;

    if (left < 2 || s[0] != '/' || (s[1] != '*' && s[1] != '/'))
        return 0;
    end = s[1] == '*' ? memmem(s + 2, left - 2, "*/", 2) : memchr(s, '\n', left);
    return !end ? left : (size_t)(end - s) + (s[1] == '*' ? 2 : 1);
}

static size_t word_length(const char *s, size_t left)
{
    size_t n = 1;

    if (*s == '"') {
        while (n < left && s[n] != '"')
            n += s[n] == '\\' ? 2 : 1;
        return n < left ? n + 1 : left;
    }
    if (isalnum((unsigned char)*s) || *s == '_')
        while (n < left && (isalnum((unsigned char)s[n]) || s[n] == '_'))
            n++;
    return n;
}

static int split(struct reading *r, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t n = isspace((unsigned char)text[at]) ? 1 : comment(text + at, size - at);
        struct word *word;

        if (n == 0) {
            n = word_length(text + at, size - at);
            word = ct_list_add(&r->words);
            if (!word)
                return -ENOMEM;
            *word = (struct word){ text + at, n };
        }
        at += n;
    }
    return 0;
}

static bool is(const struct reading *r, size_t i, const char *what)
{
    return i < r->words.count && r->words.items[i].size == strlen(what) && memcmp(r->words.items[i].at, what, strlen(what)) == 0;
}

static bool are(const struct reading *r, size_t i, const char *const *what)
{
    for (; *what; what++, i++)
        if (!is(r, i, *what))
            return false;
    return true;
}

/* Decimal, octal, hexadecimal; 0: it is none. */
static uint64_t long_number(const struct reading *r, size_t i)
{
    char text[24] = "", *end = text;
    uint64_t n;

    if (i < r->words.count && r->words.items[i].size < sizeof text)
        memcpy(text, r->words.items[i].at, r->words.items[i].size);
    n = strtoull(text, &end, 0);
    return *end || !isdigit((unsigned char)*text) ? 0 : n;
}

static unsigned number(const struct reading *r, size_t i)
{
    uint64_t n = long_number(r, i);

    return n < BITS_MAX ? (unsigned)n : 0;
}

/* Behind the } that belongs to the { at `i`. */
static size_t behind(const struct reading *r, size_t i)
{
    size_t depth = 0;

    for (; i < r->words.count; i++) {
        depth += is(r, i, "{");
        if (is(r, i, "}") && --depth == 0)
            return i + 1;
    }
    return i;
}

/* --- types --- */

/* The value of `key = value;` between the { at `i` and its }; 0: it is not there.  These have no { within. */
static unsigned attribute(const struct reading *r, size_t i, const char *key)
{
    for (size_t k = i + 1; k < i + SCALAR_WORDS && k < r->words.count && !is(r, k, "}"); k++)
        if (is(r, k, key) && is(r, k + 1, "="))
            return number(r, k + 2);
    return 0;
}

/* `integer { size = 32; align = 8; }` or `floating_point { exp_dig = 8; mant_dig = 24; }`, which begins at `i`; what is behind it, or 0. */
static size_t read_number(const struct reading *r, size_t i, struct type *ret)
{
    bool real = is(r, i, "floating_point");
    size_t end;

    if ((!real && !is(r, i, "integer")) || !is(r, i + 1, "{"))
        return 0;
    end = behind(r, i + 1);
    ret->size = real ? attribute(r, i + 1, "exp_dig") + attribute(r, i + 1, "mant_dig") : attribute(r, i + 1, "size");
    ret->align = attribute(r, i + 1, "align");
    if (ret->align == 0)
        ret->align = ret->size % 8 ? 1 : 8;
    return ret->size && (ret->align & (ret->align - 1)) == 0 ? end : 0;
}

/* The words from `from` up to `to` as one name: "unsigned long". */
static void join(const struct reading *r, size_t from, size_t to, char name[TYPE_NAME])
{
    size_t used = 0;

    for (; from < to && used + r->words.items[from].size + 2 < TYPE_NAME; from++) {
        if (used)
            name[used++] = ' ';
        memcpy(name + used, r->words.items[from].at, r->words.items[from].size);
        used += r->words.items[from].size;
    }
    name[from < to ? 0 : used] = '\0';
}

static const struct type *find_type(const struct reading *r, size_t from, size_t to)
{
    char name[TYPE_NAME];

    join(r, from, to, name);
    for (unsigned i = 0; i < r->type_count; i++)
        if (strcmp(r->types[i].name, name) == 0)
            return &r->types[i];
    return NULL;
}

/* A number, or `enum NAME : its type { ... }`, whose type is one or the name of one. */
static size_t read_scalar(const struct reading *r, size_t i, struct type *ret)
{
    const struct type *known;
    size_t at = i + 1, end;

    if (!is(r, i, "enum"))
        return read_number(r, i, ret);
    at += !is(r, at, ":");
    end = is(r, at, ":") ? read_number(r, at + 1, ret) : 0;
    if (end > 0)
        return is(r, end, "{") ? behind(r, end) : 0;
    for (end = at + 1; end < r->words.count && end < at + TYPE_NAME && !is(r, end, "{"); end++)
        ;
    known = is(r, at, ":") && is(r, end, "{") ? find_type(r, at + 1, end) : NULL;
    if (!known)
        return 0;
    ret->size = known->size;
    ret->align = known->align;
    return behind(r, end);
}

static void read_types(struct reading *r)
{
    for (size_t i = 0; i < r->words.count && r->type_count < TYPES_MAX; i++) {
        struct type *type = &r->types[r->type_count];
        size_t end = is(r, i, "typealias") ? read_scalar(r, i + 1, type) : 0, last;

        if (end == 0 || !is(r, end, ":") || !is(r, end + 1, "="))
            continue;
        for (last = end + 2; last < r->words.count && last < end + 2 + TYPE_NAME && !is(r, last, ";"); last++)
            ;
        join(r, end + 2, last, type->name);
        r->type_count += type->name[0] != '\0';
    }
}

/* --- structures --- */

/* The member that begins at `i`, without its place; what is behind it, or 0 when it is no number. */
static size_t read_member(const struct reading *r, size_t i, struct member *ret, unsigned *ret_align)
{
    struct type own;
    const struct type *type = &own;
    size_t at = read_scalar(r, i, &own), end = at ? at : i;

    while (end < r->words.count && !is(r, end, ";") && !is(r, end, "["))
        end++;
    if (end >= r->words.count || end == i)
        return 0;
    if (!at)
        type = find_type(r, i, end - 1);
    if (!type || (at && end != at + 1))
        return 0;
    *ret = (struct member){ r->words.items[end - 1], 0, type->size, 1 };
    *ret_align = type->align;
    if (is(r, end, "[")) {
        ret->count = number(r, end + 1);
        if (ret->count == 0 || !is(r, end + 2, "]"))
            return 0;
        end += 3;
    }
    return is(r, end, ";") ? end + 1 : 0;
}

/*
 * The members of the structure whose { is at `i`, when it begins `bits` behind the packet's start, up to the first that is no
 * number: from there on nothing is known, and it may want the structure itself to begin at a multiple of up to 64.
 */
static unsigned read_structure(const struct reading *r, size_t i, unsigned bits, struct member *ret, unsigned *ret_end)
{
    unsigned align[MEMBERS_MAX], count = 0, known = 0, most;
    size_t at = i + 1, end = behind(r, i);
    bool whole;

    while (at < end - 1 && count < MEMBERS_MAX && (at = read_member(r, at, &ret[count], &align[count])) > 0)
        count++;
    whole = at == end - 1;
    most = is(r, end, "align") && is(r, end + 1, "(") ? number(r, end + 2) : 1;
    for (unsigned k = 0; k < count; k++)
        most = align[k] > most ? align[k] : most;
    if (most == 0 || (most & (most - 1)) || (!whole && bits % STRICTEST))
        return 0;
    bits = (bits + most - 1) & ~(most - 1);
    for (; known < count; known++) {
        ret[known].at = bits = (bits + align[known] - 1) & ~(align[known] - 1);
        if (ret[known].size > BITS_MAX / ret[known].count || bits > BITS_MAX)
            return known;
        bits += ret[known].size * ret[known].count;
    }
    *ret_end = whole ? bits : 0;
    return known;
}

/* The { of what stands at `i`: `struct {`, or `struct NAME`, which was told elsewhere; 0: it is not there. */
static size_t structure_at(const struct reading *r, size_t i)
{
    struct word name;

    if (!is(r, i, "struct") || i + 1 >= r->words.count)
        return 0;
    if (is(r, i + 1, "{"))
        return i + 1;
    name = r->words.items[i + 1];
    for (size_t k = 0; k + 2 < r->words.count; k++)
        if (is(r, k, "struct") && r->words.items[k + 1].size == name.size &&
            memcmp(r->words.items[k + 1].at, name.at, name.size) == 0 && is(r, k + 2, "{"))
            return k + 2;
    return 0;
}

/* --- what is asked --- */

static bool read_uuid(const struct word *word, uint8_t ret[CT_TSDL_UUID])
{
    unsigned digits = 0;

    for (size_t i = 1; i + 1 < word->size; i++) {
        int c = tolower((unsigned char)word->at[i]);

        if (c == '-')
            continue;
        if (!isxdigit(c) || digits == 2 * CT_TSDL_UUID)
            return false;
        ret[digits / 2] = (uint8_t)(ret[digits / 2] << 4 | (isdigit(c) ? c - '0' : c - 'a' + 10));
        digits++;
    }
    return digits == 2 * CT_TSDL_UUID;
}

static const struct member *member_of(const struct member *members, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (members[i].name.size == strlen(name) && memcmp(members[i].name.at, name, strlen(name)) == 0)
            return &members[i];
    return NULL;
}

/* Of whole bytes, or not known. */
static struct ct_tsdl_number number_of(const struct member *members, unsigned count, const char *name)
{
    const struct member *m = member_of(members, count, name);

    return m && m->at % 8 == 0 && m->size % 8 == 0 && m->size <= 64 && m->count == 1
               ? (struct ct_tsdl_number){ m->at / 8, m->size / 8 } : (struct ct_tsdl_number){ 0 };
}

/* The block `trace { ... }` from its { on.  Where the head of a packet ends, in bits; 0: it is not known. */
static unsigned read_trace(const struct reading *r, size_t i, struct ct_tsdl *ret)
{
    size_t end = behind(r, i), head;
    struct member members[MEMBERS_MAX];
    const struct member *uuid;
    unsigned bits = 0, count = 0;
    bool headed = false;

    for (size_t k = i + 1; k + 2 < end; k++) {
        if (is(r, k, "uuid") && is(r, k + 1, "=") && *r->words.items[k + 2].at == '"')
            ret->has_uuid = read_uuid(&r->words.items[k + 2], ret->uuid);
        if (is(r, k, "byte_order") && is(r, k + 1, "="))
            ret->big_endian = is(r, k + 2, "be") || is(r, k + 2, "network");
        if (headed || !are(r, k, (const char *const[]){ "packet", ".", "header", ":", "=", NULL }))
            continue;
        headed = true;
        head = structure_at(r, k + 5);
        count = head ? read_structure(r, head, 0, members, &bits) : 0;
    }
    uuid = member_of(members, count, "uuid");
    ret->in_packets = uuid && uuid->size == 8 && uuid->count == CT_TSDL_UUID && uuid->at % 8 == 0;
    ret->uuid_at = ret->in_packets ? uuid->at / 8 : 0;
    ret->stream_id = number_of(members, count, "stream_id");
    return bits;
}

/* The block `stream { ... }` from its { on: where its packets, whose head ends there, say how long they are. */
static void read_stream(const struct reading *r, size_t i, unsigned bits, struct ct_tsdl_stream *ret)
{
    size_t end = behind(r, i), head;
    struct member members[MEMBERS_MAX];
    unsigned count, unused;

    *ret = (struct ct_tsdl_stream){ 0 };
    for (size_t k = i + 1; k + 2 < end; k = is(r, k, "{") ? behind(r, k) : k + 1) {
        if (is(r, k, "id") && is(r, k + 1, "=") && !is(r, k - 1, "."))
            ret->id = long_number(r, k + 2);
        if (!are(r, k, (const char *const[]){ "packet", ".", "context", ":", "=", NULL }))
            continue;
        head = structure_at(r, k + 5);
        count = head ? read_structure(r, head, bits, members, &unused) : 0;
        ret->size = number_of(members, count, "packet_size");
    }
}

/* Blocks with a name stand side by side, and within nothing. */
static size_t behind_block(const struct reading *r, size_t i)
{
    return is(r, i, "{") ? behind(r, i) : i + 1;
}

int ct_tsdl_read(const char *text, size_t size, struct ct_tsdl *ret)
{
    struct reading *r = calloc(1, sizeof *r);
    int result = r ? split(r, text, size) : -ENOMEM;
    unsigned bits = 0, traces = 0;

    *ret = (struct ct_tsdl){ 0 };
    if (result == 0) {
        read_types(r);
        for (size_t i = 0; i < r->words.count && bits == 0 && traces < TRACES_MAX; i = behind_block(r, i))
            if (is(r, i, "trace") && is(r, i + 1, "{") && ++traces)
                bits = read_trace(r, i + 1, ret);
        for (size_t i = 0; bits > 0 && i < r->words.count && ret->stream_count < CT_TSDL_STREAMS_MAX; i = behind_block(r, i))
            if (is(r, i, "stream") && is(r, i + 1, "{"))
                read_stream(r, i + 1, bits, &ret->streams[ret->stream_count++]);
    }
    if (r)
        ct_list_fini(&r->words);
    free(r);
    return result;
}
