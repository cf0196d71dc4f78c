/* Fetching a trace or a profile from a debug server, into a file. */
#pragma once

#include <stdbool.h>

#include "format/error.h"

/* Whether this is a URL, not a path. */
bool ct_fetch_is_url(const char *text);

/*
 * Fetches `url` into a new file of the current folder, whose name is put into `*ret` (caller frees).  Says on stderr how
 * far it is when that is a terminal.  0, or negative with `err`; then there is no file.
 */
int ct_fetch(const char *url, char **ret, struct ct_error *err);
