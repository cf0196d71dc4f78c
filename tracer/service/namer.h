/*
 * Names for profiles, looked up by a thread of its own: libdw keeps whole line tables on the stack, and those of a web
 * server's workers are small.
 */
#pragma once

#include "converter/profile/symbolize.h"
#include "converter/symbols/symbols.h"
#include "service/errands.h"

struct ct_namer {
    struct ct_errands errands;
    pthread_t thread;
    pthread_mutex_t lock;               /* of both resolvers */
    struct ct_symbolizer *symbolizer;
    struct ct_symbols *symbols;
};

/* 0 or a negative errno. */
int ct_namer_init(struct ct_namer *n);
/* Nobody asks any more. */
void ct_namer_fini(struct ct_namer *n);

/* Any thread: names the profile's addresses.  0, -ENOMEM, or -EFBIG when not all names fitted. */
int ct_namer_profile(struct ct_namer *n, struct ct_profile *profile);
/* A thread with a large stack: appends names to the trace behind `fd`, if it can. */
void ct_namer_trace(struct ct_namer *n, int fd);
