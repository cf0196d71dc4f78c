/* How the value of an event's field is written. */
#pragma once

#include "converter/output.h"
#include "converter/read/reader.h"

/* Writes arg[i] of an event by its type; with `no_stacks` a stack is "-". */
void ct_text_value(struct ct_output *out, const struct ct_read_event *event, unsigned i, bool no_stacks);
