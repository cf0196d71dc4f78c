/* What every thread is doing: one state at a time, each handed out when the next begins. */
#include "converter/model/counts.h"
#include "converter/model/machine.h"

void ct_thread_state(struct ct_model *m, struct ct_model_thread *t, enum ct_state state, unsigned reason, unsigned call,
                     int64_t ns)
{
    struct ct_state_span span = { t, t->state, t->reason, t->call, t->since, ns };

    if (ns < t->since)                  /* the past is told already */
        ns = span.end = t->since;
    if (state == t->state && reason == t->reason && call == t->call)
        return;
    if (t->state != CT_STATE_UNKNOWN && span.end > span.start && m->sink->state &&
        ct_model_clip(m, &span.start, &span.end))
        m->sink->state(m->context, &span);
    if (state != t->state)
        ct_counts_state(m, t->program, t->state, state, ns);
    t->state = state;
    t->reason = reason;
    t->call = call;
    t->since = ns;
    if (state != CT_STATE_RUNNING)
        ct_lanes_leave(m, t, ns);
}
