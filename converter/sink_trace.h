/* A piece of a trace as a trace: it reads by itself, and holds nothing but what lies within a range of time. */
#pragma once

#include "converter/output.h"
#include "converter/read/reader.h"

struct ct_sink_trace_options {
    int64_t from_ns, to_ns;     /* the range; INT64_MIN and INT64_MAX leave an end open */
    bool no_stacks;
};

/*
 * Writes what `reader` delivers within the range; the caller has set that range, with `warm`, so that what threads were
 * doing at `from_ns` is known: waits and regions that are open there begin there.  Several inputs become one file.
 * Only names, stacks and symbols that are referred to go along.  Memory: one generation of each program.
 * Returns 0, what ct_reader_next said of damage (all that stands before it was written), or what `out` said.
 */
int ct_sink_trace(struct ct_reader *reader, const struct ct_sink_trace_options *options, struct ct_output *out,
                  struct ct_error *err);
