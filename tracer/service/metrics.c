/* What the service has to tell at /metrics beside what /proc says of a process. */
#include "serve/metrics.h"

#include "service/state.h"
#include "service/values.h"

/* The program's own profiles, by name. */
static void tell_own_profiles(struct ct_service *s, struct ct_metrics *m)
{
    static const char name[] = "ctrace_profile_values";
    struct ct_profile_info rows[CT_VALUE_PROFILES];
    size_t count = ct_service_own_profiles(s, m->pid, rows);

    if (count)
        ct_metrics_family(m, name, "Values in a profile of the program's own.");
    for (size_t i = 0; i < count; i++)
        ct_metrics_member(m, name, "profile", rows[i].name, (double)rows[i].count);
}

void ct_service_metrics(void *service, struct ct_metrics *m)
{
    struct ct_served *one = ct_served_get(service, m->pid);
    struct ct_collect_facts facts;
    const struct ct_pauses *all;
    uint64_t dropped, events, bytes, pauses;
    int64_t paused_ns;

    if (!one)
        return;
    ct_fold_lock(one->fold);
    ct_collect_facts(one->fold->collect, &facts);
    all = ct_collect_pauses(one->fold->collect);
    pauses = all->count;
    paused_ns = all->total_ns;
    dropped = one->fold->dropped;
    events = one->fold->events;
    bytes = one->fold->bytes;
    ct_fold_unlock(one->fold);
    ct_metrics_counter(m, "ctrace_events", "", "Events that profiles are made of.", (double)events);
    ct_metrics_counter(m, "ctrace_recorded_bytes", "bytes", "What these take in a trace.", (double)bytes);
    ct_metrics_counter(m, "ctrace_events_lost", "", "Events the program dropped for want of room.", (double)facts.events_lost);
    ct_metrics_counter(m, "ctrace_segments_dropped", "", "Seconds of recording that profiles lack.", (double)dropped);
    ct_metrics_counter(m, "ctrace_allocator_pauses", "", "Waits for memory from the kernel, or for a collector.", (double)pauses);
    ct_metrics_counter(m, "ctrace_allocator_pause_seconds", "seconds", "How long these took.", (double)paused_ns / 1e9);
    ct_served_put(service, one);
    tell_own_profiles(service, m);
}
