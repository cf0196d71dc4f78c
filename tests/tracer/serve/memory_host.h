/* A host that lives in memory: profiles are short texts, traces are numbered blocks.  Counts what it was asked. */
#pragma once

#include <stdatomic.h>

#include "serve/host.h"

struct memory_host {
    atomic_int profiles, gcs, opened, closed, given_up, traces, traces_closed, skipped;
    bool fails;                     /* every call that can fail does */
    struct ct_profile_request last; /* as asked */
};

/* `ret` points to `h` afterwards. */
void memory_host_init(struct memory_host *h, struct ct_serve_host *ret);
