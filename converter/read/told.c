/* What is told of a range: texts like "id=7", parted by U+001F. */
#include "converter/read/told.h"

#include <stdio.h>
#include <string.h>

bool ct_told_next(struct ct_text *rest, struct ct_told *ret)
{
    const char *end = rest->size ? memchr(rest->at, CT_TOLD_SEPARATOR, rest->size) : NULL, *equals;
    size_t size = end ? (size_t)(end - rest->at) : rest->size;

    if (rest->size == 0)
        return false;
    ret->whole = (struct ct_text){ rest->at, size };
    equals = memchr(rest->at, '=', size);
    ret->name = (struct ct_text){ rest->at, equals ? (size_t)(equals - rest->at) : size };
    ret->value = equals ? (struct ct_text){ equals + 1, size - ret->name.size - 1 } : (struct ct_text){ "", 0 };
    size += end != NULL;
    *rest = (struct ct_text){ rest->at + size, rest->size - size };
    return true;
}

bool ct_told_is_number(struct ct_text value)
{
    size_t i = value.size > 0 && *value.at == '-', first = i;
    unsigned digits = 0;

    for (; i < value.size && value.at[i] >= '0' && value.at[i] <= '9'; i++)
        digits++;
    return digits > 0 && i == value.size && (digits == 1 || value.at[first] != '0') && digits <= 15;     /* what a double holds */
}

static bool same(struct ct_text a, struct ct_text b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

size_t ct_told_besides(struct ct_text begin, struct ct_text end, char *to, size_t size)
{
    struct ct_told item, other;
    size_t used = 0;

    while (ct_told_next(&end, &item)) {
        struct ct_text rest = begin;
        bool known = false, named = false;
        int n;

        while (ct_told_next(&rest, &other)) {
            known |= same(item.whole, other.whole);
            named |= same(item.name, other.name);
        }
        if (known || item.name.size > size || item.value.size > size)
            continue;
        n = snprintf(to + used, size - used, "%c%.*s%s=%.*s", CT_TOLD_SEPARATOR, (int)item.name.size, item.name.at,
                     named ? " (end)" : "", (int)item.value.size, item.value.at);
        if (n < 0 || (size_t)n >= size - used)
            break;
        used += (size_t)n;
    }
    return used;
}
