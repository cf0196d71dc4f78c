/* What `--range` says: which events of CTF are the two ends of a range. */
#pragma once

#include "converter/bt2/ctf_in.h"

/* Adds "[NAME=]BEGIN,END" to the options, or "none": no names make ranges by themselves.  0, or negative with `err`. */
int ct_range_argument(struct ct_ctf_options *options, const char *text, struct ct_error *err);
