/* A recording inside a test, and what of it was seen. */
#pragma once

#include "tests/tracer/record/session_helper.h"

enum { BUFFER = 4 << 20 };

/* What was seen, by event number. */
struct seen {
    unsigned count[CT_EV_END];
    struct ct_event last[CT_EV_END];
    uint64_t lost;
};

static inline void look(void *context, const struct ct_batch_head *batch, const struct ct_event *e)
{
    struct seen *seen = context;

    (void)batch;
    seen->count[e->no]++;
    seen->last[e->no] = *e;
    if (e->no == CT_EV_LOST)
        seen->lost += e->arg[0];
}

static inline void start(void)
{
    recording_free();
    recording_begin(BUFFER);
}

static inline struct seen stop(void)
{
    struct seen seen = { 0 };

    recording_end();
    recording_each(look, &seen);
    ct_writer_seal(&ct_self.writer[0]);
    ct_writer_seal(&ct_self.writer[1]);
    recording_free();
    return seen;
}
