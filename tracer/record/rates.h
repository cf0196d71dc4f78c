/* Rates of samples that the program sets itself, before or during a recording. */
#pragma once

#include <stdint.h>

#include "record/session_state.h"

enum ct_rate {
    CT_RATE_CPU,                        /* samples a second of CPU time */
    CT_RATE_HEAP,                       /* mean bytes between sampled allocations */
    CT_RATE_BLOCK,                      /* mean ns of waiting between sampled waits */
    CT_RATE_MUTEX,                      /* one in so many contended unlocks */
    CT_RATE_END
};

/*
 * Sets one, 0 for none, and returns what it was; a negative one is only read.  -EINVAL when it is too large.  Not in signal
 * handlers.
 */
int64_t ct_rate_set(int which, int64_t value);
/* Those that were set before there was a session hold in it. */
void ct_rates_apply(struct ct_session_options *options);
