/* Which files are archives, by how they begin. */
#pragma once

#include <stdbool.h>

/* Whether the regular file `path` is a tar, packed or not, or a zip; any other .gz is none. */
bool ct_packed_is_archive(const char *path);
