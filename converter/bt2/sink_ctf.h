/* A trace as CTF 1.8: our source and babeltrace2's own sink in one graph. */
#pragma once

#include "converter/bt2/source.h"

/*
 * Writes the trace of `options` below `directory`, one folder a program; the directory is there, or is made.
 * Returns 0, or negative with `err`.  Damage of the trace is in *options->damage, which must not be NULL.
 */
int ct_sink_ctf(const struct ct_bt2_source_options *options, const char *directory, struct ct_error *err);
