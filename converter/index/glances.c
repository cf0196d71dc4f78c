/* Wishes are few and the builder has work to do: as long as it went elsewhere, so long it then goes on in order. */
#include "converter/index/glances.h"

#include <time.h>

enum { BESIDE = 2 };                    /* so many times what is looked at, on both sides: one will move */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void ct_glances_fini(struct ct_glances *g)
{
    for (unsigned i = 0; i < CT_GLANCES; i++) {
        ct_glance_free(g->of[i]);
        g->of[i] = NULL;
    }
}

static bool is_moment(double events)
{
    return events <= CT_GLANCE_EVENTS;
}

struct ct_glance *ct_glances_of(struct ct_glances *g, int64_t from, int64_t to, int64_t covered, const struct ct_builder *builder)
{
    int64_t beside = BESIDE * (to - from);
    double rate;

    for (unsigned i = 0; i < CT_GLANCES; i++)
        if (g->of[i] && ct_glance_from(g->of[i]) <= from && to <= ct_glance_to(g->of[i]))
            return ct_glance_meet(g->of[i], builder) == 0 ? g->of[i] : NULL;
    if (g->wished || covered <= 0 || from < covered || from >= to)
        return NULL;
    rate = (double)builder->summary.events / (double)covered;
    if (!is_moment(rate * (double)(to - from)))
        return NULL;
    g->wished = true;
    g->from = from;
    g->to = to;
    if (is_moment(rate * (double)(to - from + 2 * beside))) {
        g->from = from - covered > beside ? from - beside : covered;
        g->to = to + beside;
    }
    return NULL;
}

bool ct_glances_due(struct ct_glances *g, int64_t covered)
{
    for (unsigned i = 0; i < CT_GLANCES; i++)
        if (g->of[i] && ct_glance_to(g->of[i]) <= covered) {
            ct_glance_free(g->of[i]);
            g->of[i] = NULL;
        }
    if (g->wished && g->from < covered)
        g->from = covered;
    if (g->cannot || (g->wished && g->from >= g->to))
        g->wished = false;
    if (!g->wished || now_ns() < g->rest_ns)
        return false;
    g->began_ns = now_ns();
    return true;
}

struct ct_glance *ct_glances_read(struct ct_glances *g, const struct ct_index_source *source, const atomic_bool *stop)
{
    struct ct_glance *glance = NULL;
    struct ct_reader *reader;
    struct ct_error err;

    if (source->again(source->context, &reader, &err) < 0)
        g->cannot = true;
    else if (ct_glance_new(reader, g->from, g->to, CT_GLANCE_EVENTS, stop, &glance) < 0)
        return NULL;
    return glance;
}

void ct_glances_put(struct ct_glances *g, struct ct_glance *glance, struct ct_builder *builder)
{
    int64_t now = now_ns();

    g->wished = false;
    g->rest_ns = now + (now - g->began_ns);
    if (!glance)
        return;
    ct_glance_free(g->of[g->next]);
    g->of[g->next] = glance;
    g->next = (g->next + 1) % CT_GLANCES;
    builder->revision++;
}

void ct_glances_tell(const struct ct_glances *g, struct ct_index_looked ret[CT_GLANCES])
{
    for (unsigned i = 0; i < CT_GLANCES; i++)
        ret[i] = g->of[i] ? (struct ct_index_looked){ ct_glance_from(g->of[i]), ct_glance_to(g->of[i]) }
                          : (struct ct_index_looked){ 0 };
}
