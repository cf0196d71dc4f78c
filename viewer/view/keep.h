/* Small files of the viewer's own: read whole, written whole or not at all. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "format/error.h"

/* Reads a file of at most `most` bytes into memory that the caller frees; a NUL stands behind it.  -ENOENT, -EFBIG ... */
int ct_keep_read(const char *path, size_t most, char **ret, size_t *ret_size);

/* Replaces the file, or makes it with `mode`; a reader sees the old one or the new one.  `err` says why not. */
int ct_keep_write(const char *path, const void *bytes, size_t size, mode_t mode, struct ct_error *err);

/* The path of `name` in the user's folder for ctrace's settings, which is made; caller frees.  NULL: there is none. */
char *ct_keep_path(const char *name);

/* A token of letters and digits, the same each time for this user, or for this run only when it cannot be kept. */
enum { CT_KEEP_TOKEN = 33 };        /* with its NUL */
int ct_keep_token(char token[CT_KEEP_TOKEN]);
