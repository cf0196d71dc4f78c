/* What every thread is doing: one state at a time, each handed out when the next begins. */
#include "converter/model/counts.h"
#include "converter/model/machine.h"

/* The state up to now is over. */
static inline void hand_out(struct ct_model *m, struct ct_model_thread *t, int64_t end)
{
    struct ct_state_span span;

    if (t->state == CT_STATE_UNKNOWN || end <= t->since || !m->sink->state)
        return;
    span.thread = t;
    span.state = t->state;
    span.reason = t->reason;
    span.call = t->call;
    span.start = t->since;
    span.end = end;
    if (ct_model_clip(m, &span.start, &span.end))
        m->sink->state(m->context, &span);
}

void ct_thread_state(struct ct_model *m, struct ct_model_thread *t, enum ct_state state, unsigned reason, unsigned call,
                     int64_t ns)
{
    if (!t->scheduled || state == CT_STATE_UNKNOWN)
        ct_thread_scheduled(m, t, state, reason, call, ns);
}

void ct_thread_scheduled(struct ct_model *m, struct ct_model_thread *t, enum ct_state state, unsigned reason, unsigned call,
                         int64_t ns)
{
    if (state == t->state && reason == t->reason && call == t->call)
        return;
    if (ns < t->since)                  /* the past is told already */
        ns = t->since;
    hand_out(m, t, ns);
    if (state != t->state)
        ct_counts_state(m, t->program, t->state, state, ns);
    t->state = state;
    t->reason = reason;
    t->call = call;
    t->since = ns;
    if (state != CT_STATE_RUNNING)
        ct_lanes_leave(m, t, ns);
}
