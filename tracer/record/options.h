/* The options that `ctrace record` hands to the recorder in one environment variable. */
#pragma once

#include "record/session_state.h"

/* Fills `ret` with what holds when nobody says otherwise. */
void ct_options_default(struct ct_session_options *ret);
/* Reads "key=value;key=value"; unknown keys are left for later versions.  0, or -EINVAL when a value is malformed. */
int ct_options_parse(const char *text, struct ct_session_options *ret);
