/* The lanes of every machine: a thread holds its lane until it waits, moves, or another thread is seen there. */
#include "converter/model/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "converter/model/machine.h"

enum { CPUS_MAX = 4096, HOSTS_MAX = 256 };

struct lane {
    struct ct_model_thread *thread;
    int64_t end;                        /* of its last slice */
};

struct host {
    uint8_t boot_id[CT_UUID_SIZE];
    struct lane *lane;
    int count;
};

struct ct_lanes {
    struct host host[HOSTS_MAX];
    unsigned count;
};

struct ct_lanes *ct_lanes_new(void)
{
    return calloc(1, sizeof(struct ct_lanes));
}

void ct_lanes_free(struct ct_lanes *lanes)
{
    if (!lanes)
        return;
    for (unsigned i = 0; i < lanes->count; i++)
        free(lanes->host[i].lane);
    free(lanes);
}

static unsigned host_of(struct ct_lanes *lanes, const struct ct_model_thread *t)
{
    const uint8_t *id = t->program->read->run.boot_id;

    for (unsigned i = 0; i < lanes->count; i++)
        if (memcmp(lanes->host[i].boot_id, id, CT_UUID_SIZE) == 0)
            return i;
    if (lanes->count == HOSTS_MAX)
        return HOSTS_MAX - 1;
    memcpy(lanes->host[lanes->count].boot_id, id, CT_UUID_SIZE);
    return lanes->count++;
}

static struct lane *lane_of(struct ct_lanes *lanes, unsigned host, int cpu)
{
    struct host *h = &lanes->host[host];

    if (cpu >= h->count) {
        struct lane *more = realloc(h->lane, ((size_t)cpu + 1) * sizeof *more);

        if (!more)
            return NULL;
        for (int i = h->count; i <= cpu; i++)
            more[i] = (struct lane){ .end = CT_READ_NEVER };
        h->lane = more;
        h->count = cpu + 1;
    }
    return &h->lane[cpu];
}

void ct_lanes_leave(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    unsigned host;
    struct lane *lane;
    struct ct_lane_span span;

    if (!t->on_lane)
        return;
    host = host_of(m->lanes, t);
    lane = lane_of(m->lanes, host, t->cpu);
    t->on_lane = false;
    lane->thread = NULL;
    if (ns <= t->lane_since)
        return;
    lane->end = ns;
    span = (struct ct_lane_span){ t, host, t->cpu, t->lane_since, ns };
    if (m->sink->lane && ct_model_clip(m, &span.start, &span.end) && span.end > span.start)
        m->sink->lane(m->context, &span);
}

static void enter(struct ct_model *m, struct ct_model_thread *t, int64_t ns, bool steal)
{
    struct lane *lane;

    if (t->on_lane || t->cpu < 0)
        return;
    lane = lane_of(m->lanes, host_of(m->lanes, t), t->cpu);
    if (!lane || (lane->thread && !steal))
        return;
    if (lane->thread)
        ct_lanes_leave(m, lane->thread, ns);
    lane->thread = t;
    t->on_lane = true;
    t->lane_since = ns > lane->end ? ns : lane->end;
}

void ct_lanes_enter(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    enter(m, t, ns, true);
}

void ct_lanes_enter_free(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    enter(m, t, ns, false);
}

void ct_lanes_seen(struct ct_model *m, struct ct_model_thread *t, int cpu, int64_t ns)
{
    if (cpu < 0 || cpu >= CPUS_MAX)
        return;
    if (cpu != t->cpu) {
        ct_lanes_leave(m, t, ns);
        t->cpu = cpu;
    }
}
