/* Names of traces with fields in them: %p pid, %t time, %h host, %q{VARIABLE}, %%. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What the fields stand for. */
struct ct_pattern_values {
    int64_t pid, time_s;            /* time: seconds since 1970 */
    const char *host;
    const char *(*look_up)(const char *variable);       /* getenv; NULL for one that is not set, which is empty then */
};

/* Appends `pattern` with its fields filled in to `to` (of `size` bytes, terminated).  0, -EINVAL for an unknown field, -ENAMETOOLONG. */
int ct_pattern_expand(const char *pattern, const struct ct_pattern_values *values, char *to, size_t size);
