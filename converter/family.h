/* Which files belong to a trace: `trace.out` and what the processes of the same run wrote beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "format/error.h"

struct ct_family {
    char **path;                    /* those asked for, each followed by the others of its family, by name */
    struct ct_family_id { dev_t device; ino_t inode; } *id;     /* of each; zeros: there is no such file */
    size_t count;
};

/*
 * Adds the files to open for `path`, a trace or a directory that holds one (DIR/trace.out), that are not in `f`, which begins
 * as zeros; any other directory is one of CTF, and is all there is.  Others of the family are named
 * PATH.PID or PATH.PID.N (and .gz), also when PATH has become PATH.old, and carry the same run id.  With `alone`, or when
 * `path` is "-" or cannot be read, `path` itself is all (reading it will tell what is wrong).
 * Returns 0, or -ENOMEM with `err`; the caller ends with ct_family_fini either way.
 */
int ct_family_add(struct ct_family *f, const char *path, bool alone, struct ct_error *err);

void ct_family_fini(struct ct_family *family);
