/* Text to bytes: the inverse of sink_text. */
#pragma once

#include "converter/output.h"

/*
 * Makes the trace that `text` describes and writes it to `out`.
 * Returns 0, -EINVAL with `err` (offset: byte of the text; its sentence names the line), -ENOMEM, or what `out` said.
 */
int ct_assemble(const char *text, size_t size, struct ct_output *out, struct ct_error *err);
