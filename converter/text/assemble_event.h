/* Lines that describe events, and those that are events. */
#pragma once

#include "converter/text/assemble_words.h"

/* The rest of a line behind its first word: 0, -EINVAL with a->err, -ENOMEM. */
int ct_assemble_schema(struct ct_assembly *a);
int ct_assemble_event(struct ct_assembly *a, struct ct_text time);
int ct_assemble_reserve(struct ct_assembly *a);     /* an event in the first pass: ids without a definition */
