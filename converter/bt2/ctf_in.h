/* Directories of CTF as one trace.out. */
#pragma once

#include <stdbool.h>

#include "format/error.h"

/*
 * Writes to the new file `output` all CTF traces that lie below `directory`.
 * Returns 0, or negative with `err`: -ENOENT when there are none, else what babeltrace2 said.
 */
int ct_ctf_read(const char *directory, const char *output, struct ct_error *err);
