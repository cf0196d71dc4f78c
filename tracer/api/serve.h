/* What serves the program inside, for all who want it to be there. */
#pragma once

#include <stdbool.h>

/* Under the session's lock: whether a trace_start() of this very process is in force, and whether it serves itself. */
bool api_started(void);
bool api_served(void);
/* Under the session's lock: starts what serves this process, without an address.  0 or a negative errno. */
int api_serve_quietly(void);
/* The process ends: what serves it leaves nothing behind. */
void api_serve_leave(void);
