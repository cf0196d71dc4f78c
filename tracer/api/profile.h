/* Whether a trace_cpu_profile_start() of this very process is in force; under the session's lock. */
#pragma once

#include <stdbool.h>

bool api_profile_begun(void);
