/* Directories of CTF, and live sessions of LTTng, as one trace.out. */
#pragma once

#include <stdbool.h>

#include "format/error.h"

/*
 * Writes to the new file `output` all CTF traces that lie below `place`, or, when that is net://RELAY/host/HOST/SESSION,
 * what the session delivers until it ends, or until SIGINT or SIGTERM.
 * A session whose relay fails gives what arrived until then: 0, and err->code is not.
 * Returns 0, or negative with `err`: -ENOENT when there is no CTF, else what babeltrace2 said.
 */
int ct_ctf_read(const char *place, const char *output, struct ct_error *err);
