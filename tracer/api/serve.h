/* What serves the program inside, for all who want it to be there. */
#pragma once

#include <stdbool.h>

#include "ctrace.h"
#include "format/serve.h"

/* Under the session's lock: whether a trace_start() of this very process is in force, and whether it serves itself. */
bool api_started(void);
bool api_served(void);
/*
 * Somebody who makes profiles of this process: there, or now within it, without an address.  0, or a negative errno and
 * perhaps a line in ret->trouble.  `now`: one is to be made.
 */
int api_serve_maker(struct ct_serve_http *ret, bool now);
/* The texts of these options; NULL: there are none.  0, -EINVAL or -ENAMETOOLONG. */
int api_serve_texts(const struct trace_serve_options *given, struct ct_serve_http *ret);
/* The process ends: what serves it leaves nothing behind. */
void api_serve_leave(void);
