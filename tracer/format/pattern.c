/* Filling in the fields of a name. */
#include "format/pattern.h"

#include <errno.h>
#include <string.h>

struct text {
    char *at;
    size_t used, size;
    int error;
};

static void append(struct text *t, const char *what, size_t length)
{
    if (length >= t->size - t->used) {
        t->error = -ENAMETOOLONG;
        return;
    }
    memcpy(t->at + t->used, what, length);
    t->used += length;
    t->at[t->used] = '\0';
}

static void append_number(struct text *t, int64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do
        digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (n < 0)
        digits[--at] = '-';
    append(t, digits + at, sizeof digits - at);
}

/* %q{NAME}: returns what follows it, NULL when it is malformed. */
static const char *append_variable(struct text *t, const char *p, const struct ct_pattern_values *values)
{
    const char *end = *p == '{' ? strchr(p, '}') : NULL, *value;
    char name[256];

    if (!end || (size_t)(end - p - 1) >= sizeof name)
        return NULL;
    memcpy(name, p + 1, (size_t)(end - p - 1));
    name[end - p - 1] = '\0';
    value = values->look_up(name);
    if (value)
        append(t, value, strlen(value));
    return end + 1;
}

/* The field whose letter is at `p`; returns what follows it, NULL when it is not known. */
static const char *append_field(struct text *t, const char *p, const struct ct_pattern_values *values)
{
    switch (*p++) {
    case '%':
        append(t, "%", 1);
        return p;
    case 'p':
        append_number(t, values->pid);
        return p;
    case 't':
        append_number(t, values->time_s);
        return p;
    case 'h':
        append(t, values->host, strlen(values->host));
        return p;
    case 'q':
        return append_variable(t, p, values);
    default:
        return NULL;
    }
}

int ct_pattern_expand(const char *pattern, const struct ct_pattern_values *values, char *to, size_t size)
{
    struct text t = { .at = to, .used = strlen(to), .size = size };

    while (*pattern) {
        size_t plain = strcspn(pattern, "%");

        append(&t, pattern, plain);
        pattern += plain;
        if (*pattern && !(pattern = append_field(&t, pattern + 1, values)))
            return -EINVAL;
    }
    return t.error;
}
