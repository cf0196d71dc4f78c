/* The few words of a CTF 1.8 metadata text that say where its packets begin and whose they are. */
#include "converter/bt2/tsdl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/read/list.h"

enum { TYPES_MAX = 64, TYPE_NAME = 64, BITS_MAX = 1 << 16, MEMBERS_MAX = 64, INTEGER_WORDS = 64, TRACES_MAX = 16, STREAMS_MAX = 256 };

struct word {
    const char *at;
    size_t size;
};

/* Integers that have a name. */
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

static unsigned number(const struct reading *r, size_t i)
{
    unsigned n = 0;

    for (size_t k = 0; i < r->words.count && k < r->words.items[i].size && n < BITS_MAX; k++) {
        if (!isdigit((unsigned char)r->words.items[i].at[k]))
            return 0;
        n = n * 10 + (unsigned)(r->words.items[i].at[k] - '0');
    }
    return n;
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

/* `integer { size = 32; align = 8; }`, which begins at `i`; what is behind it, or 0. */
static size_t read_integer(const struct reading *r, size_t i, struct type *ret)
{
    size_t k = i + 2;

    if (!is(r, i, "integer") || !is(r, i + 1, "{"))
        return 0;
    ret->size = ret->align = 0;
    for (; k < i + INTEGER_WORDS && k < r->words.count && !is(r, k, "}"); k++) {
        if (is(r, k, "size") && is(r, k + 1, "="))
            ret->size = number(r, k + 2);
        if (is(r, k, "align") && is(r, k + 1, "="))
            ret->align = number(r, k + 2);
    }
    if (ret->align == 0)
        ret->align = ret->size % 8 ? 1 : 8;
    return is(r, k, "}") && ret->size && (ret->align & (ret->align - 1)) == 0 ? k + 1 : 0;
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

static void read_types(struct reading *r)
{
    for (size_t i = 0; i < r->words.count && r->type_count < TYPES_MAX; i++) {
        struct type *type = &r->types[r->type_count];
        size_t end = is(r, i, "typealias") ? read_integer(r, i + 1, type) : 0, last;

        if (end == 0 || !is(r, end, ":") || !is(r, end + 1, "="))
            continue;
        for (last = end + 2; last < r->words.count && last < end + 2 + TYPE_NAME && !is(r, last, ";"); last++)
            ;
        join(r, end + 2, last, type->name);
        r->type_count += type->name[0] != '\0';
    }
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

/* --- structures --- */

/* The member that begins at `i`, without its place; what is behind it, or 0 when it is no integer. */
static size_t read_member(const struct reading *r, size_t i, struct member *ret, unsigned *ret_align)
{
    struct type own;
    const struct type *type = &own;
    size_t at = read_integer(r, i, &own), end = at ? at : i;

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

/* The members of the structure whose { is at `i`, when it begins `bits` behind the packet's start; 0 when it is not known. */
static unsigned read_structure(const struct reading *r, size_t i, unsigned bits, struct member *ret, unsigned *ret_end)
{
    unsigned align[MEMBERS_MAX], count = 0, most = 1;
    size_t at = i + 1;

    for (; !is(r, at, "}"); count++) {
        at = count < MEMBERS_MAX ? read_member(r, at, &ret[count], &align[count]) : 0;
        if (at == 0)
            return 0;
        most = align[count] > most ? align[count] : most;
    }
    bits = (bits + most - 1) & ~(most - 1);
    for (unsigned k = 0; k < count; k++) {
        bits = (bits + align[k] - 1) & ~(align[k] - 1);
        ret[k].at = bits;
        bits += ret[k].size * ret[k].count;
        if (bits > BITS_MAX || ret[k].size > BITS_MAX / ret[k].count)
            return 0;
    }
    *ret_end = bits;
    return count;
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

/* The block `trace { ... }` from its { on.  Where the head of a packet ends, in bits; 0: it is not known. */
static unsigned read_trace(const struct reading *r, size_t i, struct ct_tsdl *ret)
{
    size_t end = behind(r, i), head;
    struct member members[MEMBERS_MAX];
    const struct member *uuid;
    unsigned bits = 0, count = 0;
    bool told = false, headed = false;

    for (size_t k = i + 1; k + 2 < end; k++) {
        if (is(r, k, "uuid") && is(r, k + 1, "=") && *r->words.items[k + 2].at == '"')
            told = read_uuid(&r->words.items[k + 2], ret->uuid);
        if (is(r, k, "byte_order") && is(r, k + 1, "="))
            ret->big_endian = is(r, k + 2, "be") || is(r, k + 2, "network");
        if (headed || !are(r, k, (const char *const[]){ "packet", ".", "header", ":", "=", NULL }))
            continue;
        headed = true;
        head = structure_at(r, k + 5);
        count = head ? read_structure(r, head, 0, members, &bits) : 0;
    }
    uuid = member_of(members, count, "uuid");
    ret->has_uuid = told;
    ret->in_packets = uuid && uuid->size == 8 && uuid->count == CT_TSDL_UUID && uuid->at % 8 == 0;
    ret->uuid_at = ret->in_packets ? uuid->at / 8 : 0;
    return count ? bits : 0;
}

/* Where packets of all streams say how long they are. */
static void read_streams(const struct reading *r, unsigned bits, struct ct_tsdl *ret)
{
    unsigned streams = 0;

    for (size_t i = 0; i < r->words.count; i++) {
        struct member members[MEMBERS_MAX];
        const struct member *size;
        unsigned end, count;
        size_t head;

        if (!are(r, i, (const char *const[]){ "packet", ".", "context", ":", "=", NULL }))
            continue;
        head = structure_at(r, i + 5);
        count = head ? read_structure(r, head, bits, members, &end) : 0;
        size = member_of(members, count, "packet_size");
        if (!size || size->at % 8 || size->size % 8 || size->size > 64 || (streams && size->at / 8 != ret->size_at) ||
            streams == STREAMS_MAX) {
            ret->size_bytes = 0;
            return;
        }
        ret->size_at = size->at / 8;
        ret->size_bytes = size->size / 8;
        streams++;
    }
}

int ct_tsdl_read(const char *text, size_t size, struct ct_tsdl *ret)
{
    struct reading *r = calloc(1, sizeof *r);
    int result = r ? split(r, text, size) : -ENOMEM;
    unsigned bits = 0, traces = 0;

    *ret = (struct ct_tsdl){ 0 };
    if (result == 0) {
        read_types(r);
        for (size_t i = 0; i < r->words.count && bits == 0 && traces < TRACES_MAX; i = is(r, i, "{") ? behind(r, i) : i + 1)
            if (is(r, i, "trace") && is(r, i + 1, "{") && ++traces)
                bits = read_trace(r, i + 1, ret);
        if (bits)
            read_streams(r, bits, ret);
    }
    if (r)
        ct_list_fini(&r->words);
    free(r);
    return result;
}
