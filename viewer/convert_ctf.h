/* `ctrace convert -t ctf`: the output is a directory. */
#pragma once

#include "converter/bt2/source_options.h"

/*
 * Writes CTF 1.8 to `directory`, which must not exist or be empty.  What a failure leaves of it is taken away; damage of
 * the trace is no failure, what precedes it is written.
 * Returns 0, or negative with `err`; *damage is what was wrong with the trace, with code 0 when nothing was.
 */
int ct_convert_ctf(const struct ct_bt2_source_options *options, const char *directory, struct ct_error *damage,
                   struct ct_error *err);
