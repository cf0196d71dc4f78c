/* The lanes of every machine: a thread holds its lane until it waits, moves, or another thread is seen there. */
#include "converter/model/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "converter/model/machine.h"

enum { CPUS_MAX = 4096, HOSTS_MAX = 256 };

struct ct_lane {
    struct ct_model_thread *thread;
    int64_t end;                        /* of its last slice */
    uint32_t host;
    bool known;                         /* the fields above were filled */
};

/* Containers have names of their own, and clocks perhaps: each counts as a machine, though they share its CPUs. */
struct host {
    uint8_t boot_id[CT_UUID_SIZE];
    struct ct_text name;                /* borrowed from the reader */
    struct ct_lane *lane;               /* CPUS_MAX of them, which threads point to; NULL: none yet */
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

static bool is_host(const struct host *h, const struct ct_run *run)
{
    return memcmp(h->boot_id, run->boot_id, CT_UUID_SIZE) == 0 && h->name.size == run->host.size &&
           (h->name.size == 0 || memcmp(h->name.at, run->host.at, h->name.size) == 0);
}

unsigned ct_lanes_host(struct ct_lanes *lanes, const struct ct_model_thread *t)
{
    const struct ct_run *run = &t->program->read->run;

    for (unsigned i = 0; i < lanes->count; i++)
        if (is_host(&lanes->host[i], run))
            return i;
    if (lanes->count == HOSTS_MAX)
        return HOSTS_MAX - 1;
    memcpy(lanes->host[lanes->count].boot_id, run->boot_id, CT_UUID_SIZE);
    lanes->host[lanes->count].name = run->host;
    return lanes->count++;
}

/* NULL without memory. */
static struct ct_lane *lane_of(struct ct_lanes *lanes, unsigned host, int cpu)
{
    struct host *h = &lanes->host[host];
    struct ct_lane *lane;

    if (!h->lane)
        h->lane = calloc(CPUS_MAX, sizeof *h->lane);        /* only what is used of it becomes memory */
    if (!h->lane)
        return NULL;
    lane = &h->lane[cpu];
    if (!lane->known)
        *lane = (struct ct_lane){ .end = CT_READ_NEVER, .host = host, .known = true };
    return lane;
}

void ct_lanes_left(struct ct_model *m, struct ct_model_thread *t, int64_t ns)
{
    struct ct_lane *lane = t->lane;
    struct ct_lane_span span;

    t->on_lane = false;
    lane->thread = NULL;
    if (ns <= t->lane_since)
        return;
    lane->end = ns;
    span = (struct ct_lane_span){ t, lane->host, t->cpu, t->lane_since, ns, t->scheduled ? ns : t->lane_seen, t->scheduled };
    if (!m->sink->lane || !ct_model_clip(m, &span.start, &span.end) || span.end <= span.start)
        return;
    span.seen = span.seen < span.start ? span.start : span.seen > span.end ? span.end : span.seen;
    m->sink->lane(m->context, &span);
}

/* Whether it takes the place of who is there is nothing that a processor could guess: it is no branch of its own. */
void ct_lanes_enter(struct ct_model *m, struct ct_model_thread *t, int64_t ns, bool steal)
{
    struct ct_lane *lane = t->lane;

    if (t->on_lane || t->cpu < 0)
        return;
    if (!lane)
        lane = t->lane = lane_of(m->lanes, ct_lanes_host(m->lanes, t), t->cpu);
    if (!lane || ((lane->thread != NULL) & !steal))
        return;
    if (lane->thread)
        ct_lanes_left(m, lane->thread, ns);
    lane->thread = t;
    t->on_lane = true;
    t->lane_since = t->lane_seen = ns > lane->end ? ns : lane->end;
}

void ct_lanes_seen(struct ct_model *m, struct ct_model_thread *t, int cpu, int64_t ns)
{
    if (cpu < 0 || cpu >= CPUS_MAX)
        return;
    if (cpu != t->cpu) {
        ct_lanes_leave(m, t, ns);
        t->cpu = cpu;
        t->lane = NULL;
    } else {
        t->lane_seen = ns;              /* still: samples say so */
    }
}
