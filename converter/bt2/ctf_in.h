/* Directories of CTF, archives of such, and live sessions of LTTng, as one trace.out. */
#pragma once

#include <stdbool.h>

#include "format/error.h"

enum { CT_CTF_RANGES_MAX = 32, CT_CTF_NOTES = 1024 };

/* Events `begin` and `end` are a range called `name`; each may have one * that stands for the same text. */
struct ct_ctf_range {
    char begin[128], end[128], name[128];       /* an empty name: what begin and end have in common */
};

struct ct_ctf_options {
    struct ct_ctf_range range[CT_CTF_RANGES_MAX];
    unsigned range_count;
    bool no_rule;                       /* names alone make no ranges */
    char *notes;                        /* CT_CTF_NOTES bytes: lines for a person, each with its newline */
    int words;                          /* where standard error leads to, so that babeltrace2's log can be read; 0: it is for nobody */
    const char *scratch;                /* where an archive is unpacked: a folder for that alone, which the caller removes */
};

/*
 * Writes to the new file `output` all CTF traces that lie below `place`, or in the archive `place`, or, when that is
 * net://RELAY/host/HOST/SESSION, what the session delivers until it ends, or until SIGINT or SIGTERM.
 * A session whose relay fails gives what arrived until then: 0, and err->code is not.
 * Of a session `output` is "-", a file whose time is that of the last word of the relay.
 * For a process of its own: it changes the working directory.
 * Returns 0, or negative with `err`: -ENOENT when there is no CTF, else what babeltrace2 said.
 */
int ct_ctf_read(const char *place, const struct ct_ctf_options *options, const char *output, struct ct_error *err);
