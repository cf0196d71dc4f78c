/* Which files belong to a trace: `trace.out` and what the processes of the same run wrote beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "format/error.h"

struct ct_family {
    char **path;                    /* the one asked for first, then the others by name */
    size_t count;
};

/*
 * The files to open for `path`, a trace or a directory that holds one (DIR/trace.out); any other directory is one of CTF,
 * and is all there is.  Others of the family are named
 * PATH.PID or PATH.PID.N (and .gz) and carry the same run id.  With `alone`, or when `path` is "-" or cannot be read,
 * `path` itself is all (reading it will tell what is wrong).
 * Returns 0, or -ENOMEM with `err`.
 */
int ct_family_find(const char *path, bool alone, struct ct_family *ret, struct ct_error *err);

void ct_family_fini(struct ct_family *family);
