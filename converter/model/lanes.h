/* CPU lanes: which thread ran where, as far as threads said on which CPU they saw themselves. */
#pragma once

#include "converter/model/model.h"

struct ct_lanes;

struct ct_lanes *ct_lanes_new(void);
void ct_lanes_free(struct ct_lanes *lanes);

/* A dense number of the machine that the thread runs on. */
unsigned ct_lanes_host(struct ct_lanes *lanes, const struct ct_model_thread *t);

/* The thread saw itself on `cpu`. */
void ct_lanes_seen(struct ct_model *m, struct ct_model_thread *t, int cpu, int64_t ns);

/* The thread is running: it is on its CPU.  Who was there is not, or with `steal` false, when nothing was seen just now, stays. */
void ct_lanes_enter(struct ct_model *m, struct ct_model_thread *t, int64_t ns, bool steal);

/* It was on its lane and is not any more. */
void ct_lanes_left(struct ct_model *m, struct ct_model_thread *t, int64_t ns);

/* It is not running any more, wherever it was. */
static inline void ct_lanes_leave(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    if (t->on_lane)
        ct_lanes_left(m, t, ns);
}
