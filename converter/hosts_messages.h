/* Messages between machines, by connections that both ends told of from their start. */
#pragma once

#include "converter/hosts.h"

/* What to add to times of the second so that they fit the first: no less than `low`, no more than `high`. */
struct ct_hosts_bound {
    int64_t low, high;                  /* INT64_MIN, INT64_MAX: not known */
    uint64_t messages;
};

struct ct_hosts_bounds {
    struct ct_hosts_bound pair[CT_HOSTS_MAX][CT_HOSTS_MAX];
};

/* Reads all that `reader` has.  0 or -ENOMEM; a damaged trace counts as far as it goes. */
int ct_hosts_look(const struct ct_hosts *hosts, struct ct_reader *reader, struct ct_hosts_bounds *ret);
