/* trace_serve() and trace_start() know of each other. */
#pragma once

#include <stdbool.h>

/* Under the session's lock: whether a trace_start() of this very process is in force, and whether it serves itself. */
bool api_started(void);
bool api_served(void);
/* The process ends: what serves it leaves nothing behind. */
void api_serve_leave(void);
