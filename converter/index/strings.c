/* Texts behind one another, found by their hash; two texts of one hash stand at keys that follow. */
#include "converter/index/strings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BYTES_MAX = 128 << 20,              /* a program that makes up names without end ends here */
    NAMES_MAX = 1 << 20,
};

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t hash(const char *at, size_t size)
{
    uint64_t h = mix(ct_idmap_seed, size), v;

    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&v, at, 8);
        h = mix(h, v);
    }
    v = 0;
    if (size)
        memcpy(&v, at, size);
    return mix(h, v);
}

static bool append(struct ct_strings *s, struct ct_text text)
{
    size_t wide = s->bytes.room;
    uint8_t *use = ct_list_add(&s->uses);
    uint32_t *end = use ? ct_list_add(&s->offsets) : NULL;

    if (!end)
        return false;
    *use = 0;
    while (wide < s->bytes.count + text.size)
        wide = wide ? wide * 2 : 4096;
    if (wide != s->bytes.room) {
        char *more = realloc(s->bytes.items, wide);

        if (!more) {
            s->offsets.count--;
            s->uses.count--;
            return false;
        }
        s->bytes.items = more;
        s->bytes.room = wide;
    }
    if (text.size)
        memcpy(s->bytes.items + s->bytes.count, text.at, text.size);
    s->bytes.count += text.size;
    *end = (uint32_t)s->bytes.count;
    return true;
}

int ct_strings_init(struct ct_strings *s)
{
    uint32_t *first;

    *s = (struct ct_strings){ 0 };
    first = ct_list_add(&s->offsets);
    if (!first)
        return -ENOMEM;
    *first = 0;
    return append(s, (struct ct_text){ "", 0 }) && append(s, (struct ct_text){ "(one of too many texts)", 23 }) ? 0 : -ENOMEM;
}

void ct_strings_fini(struct ct_strings *s)
{
    ct_list_fini(&s->bytes);
    ct_list_fini(&s->offsets);
    ct_list_fini(&s->uses);
    ct_idmap_fini(&s->places);
}

uint32_t ct_strings_used(struct ct_strings *s, struct ct_text text)
{
    uint32_t number = ct_strings_of(s, text);

    s->uses.items[number] = 1;
    return number;
}

/* Its number, or CT_IDMAP_NONE; `key` is where it is, or would be. */
static uint32_t find_text(const struct ct_strings *s, struct ct_text text, uint64_t *key)
{
    uint32_t at;

    for (*key = hash(text.at, text.size); (at = ct_idmap_get(&s->places, *key)) != CT_IDMAP_NONE; ++*key)
        if (ct_strings_is(s, at, text))
            break;
    return at;
}

uint32_t ct_strings_of(struct ct_strings *s, struct ct_text text)
{
    uint64_t key;
    uint32_t at;

    if (text.size == 0)
        return CT_STRINGS_EMPTY;
    at = find_text(s, text, &key);
    if (at != CT_IDMAP_NONE)
        return at;
    if (s->bytes.count + text.size > BYTES_MAX || !append(s, text))
        return CT_STRINGS_FULL;
    at = (uint32_t)s->offsets.count - 2;
    ct_idmap_add(&s->places, key, at);      /* without memory it is there twice */
    return at;
}

uint32_t ct_strings_find(const struct ct_strings *s, struct ct_text text)
{
    uint64_t key;

    return text.size == 0 ? CT_STRINGS_EMPTY : find_text(s, text, &key);
}

uint32_t ct_strings_print(struct ct_strings *s, const char *format, ...)
{
    char line[256];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return ct_strings_of(s, (struct ct_text){ line, strnlen(line, size < 0 ? 0 : sizeof line) });
}

/* --- names --- */

void ct_names_fini(struct ct_names *n)
{
    ct_list_fini(&n->list);
    ct_idmap_fini(&n->places);
}

static bool same(const struct ct_name_record *a, const struct ct_name_record *b)
{
    return a->text == b->text && a->event == b->event && a->call == b->call && a->lane == b->lane && a->class == b->class;
}

static uint32_t find_name(const struct ct_names *n, const struct ct_name_record *name, uint64_t *key)
{
    uint32_t at;

    *key = mix(mix(mix(ct_idmap_seed, name->text | (uint64_t)name->lane << 32), name->event), name->call | name->class << 16);
    for (; (at = ct_idmap_get(&n->places, *key)) != CT_IDMAP_NONE; ++*key)
        if (same(&n->list.items[at], name))
            break;
    return at;
}

uint32_t ct_names_of(struct ct_names *n, const struct ct_name_record *name)
{
    struct ct_name_record *record;
    uint64_t key;
    uint32_t at = find_name(n, name, &key);

    if (at != CT_IDMAP_NONE)
        return at;
    record = n->list.count < NAMES_MAX ? ct_list_add(&n->list) : NULL;
    if (!record)
        return 0;
    *record = *name;
    at = (uint32_t)n->list.count - 1;
    ct_idmap_add(&n->places, key, at);
    return at;
}

uint32_t ct_names_find(const struct ct_names *n, const struct ct_name_record *name)
{
    uint64_t key;
    uint32_t at = find_name(n, name, &key);

    return at == CT_IDMAP_NONE ? 0 : at;
}
