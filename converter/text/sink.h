/* The trace as text: one event a line, and everything else that is needed to make the same trace of it again. */
#pragma once

#include "converter/output.h"
#include "converter/read/reader.h"

struct ct_sink_text_options {
    bool no_stacks;             /* leave stacks out: "-" where one was */
};

/*
 * Writes all that `reader` still delivers to `out`, as docs/format.md says under "Text".  ct_assemble is the inverse.
 * Returns 0, what ct_reader_next said of damage (all that stands before it was written), or what `out` said.
 */
int ct_sink_text(struct ct_reader *reader, const struct ct_sink_text_options *options, struct ct_output *out,
                 struct ct_error *err);
