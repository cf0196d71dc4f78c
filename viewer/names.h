/* Names for code addresses, added to traces that are whole. */
#pragma once

#include <stddef.h>

/*
 * Looks up the names of all traces in `paths` and appends them; what goes wrong is said on stderr, and the traces stay
 * as they were.
 */
void ct_names_add_all(char *const *paths, size_t count);
/* The same for one. */
void ct_names_add(const char *path);
