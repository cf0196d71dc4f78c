/* Sets in an array, found by hash: a program may label each request. */
#include "converter/model/label_sets.h"

#include <errno.h>
#include <string.h>

enum { COLLISIONS_MAX = 8 };            /* of hashes, in a row: more are made on purpose */

void ct_label_sets_fini(struct ct_label_sets *sets)
{
    for (size_t i = 0; i < sets->sets.count; i++)
        free(sets->sets.items[i].text);
    ct_list_fini(&sets->sets);
    ct_idmap_fini(&sets->places);
}

struct ct_text ct_label_set_text(const struct ct_label_sets *sets, uint32_t set)
{
    const struct ct_label_set *s;

    if (set == 0 || set > sets->sets.count)
        return (struct ct_text){ "", 0 };
    s = &sets->sets.items[set - 1];
    return (struct ct_text){ s->text, s->size };
}

static uint64_t hash_of(const char *text, size_t size)
{
    uint64_t h = size;

    for (size_t i = 0; i < size; i++)
        h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
    return h;
}

/* Adds a set that is not there yet, at the free key that was found for it. */
static int add(struct ct_label_sets *sets, const char *text, size_t size, uint64_t key)
{
    char *copy = malloc(size);
    struct ct_label_set *s = copy ? ct_list_add(&sets->sets) : NULL;

    if (!s) {
        free(copy);
        return -ENOMEM;
    }
    *s = (struct ct_label_set){ memcpy(copy, text, size), size };
    return ct_idmap_add(&sets->places, key, (uint32_t)sets->sets.count - 1);
}

static int intern(struct ct_label_sets *sets, const char *text, size_t size, uint32_t none, uint32_t *ret)
{
    uint64_t key = hash_of(text, size), end = key + COLLISIONS_MAX;
    uint32_t place = CT_IDMAP_NONE;
    int r;

    *ret = 0;
    if (size == 0)
        return 0;
    for (; key != end; key++) {
        const struct ct_label_set *s;

        place = ct_idmap_get(&sets->places, key);
        if (place == CT_IDMAP_NONE)
            break;
        s = &sets->sets.items[place];
        if (s->size == size && memcmp(s->text, text, size) == 0) {
            *ret = place + 1;
            return 0;
        }
    }
    *ret = none;
    if (key == end || sets->sets.count >= CT_LABEL_SETS_MAX)
        return 0;
    r = add(sets, text, size, key);
    if (r == 0)
        *ret = (uint32_t)sets->sets.count;
    return r;
}

/* Length of what stands before the first NUL: names cannot hold one here. */
static size_t clean_size(struct ct_text text)
{
    return strnlen(text.at, text.size);
}

static size_t put(char *to, struct ct_text key, struct ct_text value)
{
    size_t k = clean_size(key), v = clean_size(value);

    memcpy(to, key.at, k);
    to[k] = 0;
    memcpy(to + k + 1, value.at, v);
    to[k + 1 + v] = 0;
    return k + v + 2;
}

int ct_label_set_with(struct ct_label_sets *sets, uint32_t set, struct ct_text key, struct ct_text value, uint32_t *ret)
{
    struct ct_text old = ct_label_set_text(sets, set);
    char made[CT_LABEL_SET_BYTES];
    bool placed = clean_size(value) == 0;
    size_t used = 0;

    *ret = set;
    if (clean_size(key) == 0 || old.size + clean_size(key) + clean_size(value) + 2 > sizeof made)
        return 0;
    for (size_t at = 0; at < old.size;) {
        const char *k = old.at + at, *v = k + strlen(k) + 1;
        size_t size = (size_t)(v - k) + strlen(v) + 1;
        int order = strncmp(k, key.at, clean_size(key));

        if (order == 0)
            order = k[clean_size(key)] != 0;
        if (order >= 0 && !placed) {
            used += put(made + used, key, value);
            placed = true;
        }
        if (order != 0) {
            memcpy(made + used, k, size);
            used += size;
        }
        at += size;
    }
    if (!placed)
        used += put(made + used, key, value);
    return intern(sets, made, used, set, ret);
}
