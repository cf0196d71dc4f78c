/* Arrows within a range of time. */
#include <errno.h>

#include "converter/index/flow.h"
#include "converter/index/lane_set.h"
#include "converter/index/slice.h"

bool ct_flow_of(const struct ct_leaf *l, unsigned i, struct ct_flow *ret)
{
    size_t size;
    const uint8_t *p = ct_leaf_payload(l, i, &size);
    uint32_t lane = 0;
    unsigned shift = 0;

    if (size < 2 || size > 6 || p[0] > CT_FLOW_JOIN)
        return false;
    for (size_t k = 1; k < size; k++, shift += 7)
        lane |= (uint32_t)(p[k] & 0x7f) << shift;
    *ret = (struct ct_flow){ p[0], ct_leaf_name(l, i), lane, ct_leaf_start(l, i), ct_leaf_end(l, i) };
    return true;
}

struct touching {
    int64_t from, to;
    const struct ct_lane_set *lanes;
    struct ct_index_memory *memory;
    struct ct_index_flow *flows;
    size_t count, room, limit;
    bool more;
};

static enum ct_walk node(void *context, const struct ct_sum *s, uint32_t first)
{
    const struct touching *t = context;

    return s->start < t->to && s->end >= t->from ? CT_WALK_IN : CT_WALK_OVER;
}

static bool leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    struct touching *t = context;

    for (unsigned i = 0; i < l->count; i++) {
        struct ct_flow flow;

        if (ct_leaf_start(l, i) >= t->to || ct_leaf_end(l, i) < t->from || !ct_flow_of(l, i, &flow) ||
            !(ct_lane_set_has(t->lanes, flow.from_lane) || ct_lane_set_has(t->lanes, flow.to_lane)))
            continue;
        if (t->count == t->limit) {
            t->more = true;
            return false;
        }
        t->flows = ct_index_grow(t->memory, t->flows, sizeof *t->flows, t->count, &t->room);
        if (!t->flows)
            return false;
        t->flows[t->count++] = (struct ct_index_flow){ flow.kind, { flow.from_lane, CT_INDEX_NONE, flow.from_ns },
                                                       { flow.to_lane, CT_INDEX_NONE, flow.to_ns } };
    }
    return true;
}

/* The rows that arrows hold on to. */
static int add_rows(const struct ct_store *s, struct touching *t)
{
    struct ct_slice slice;
    uint32_t stack;

    for (size_t i = 0; i < t->count; i++) {
        int r = ct_lane_slice(s, t->flows[i].from.lane, t->flows[i].from.ns, &slice, &stack);

        if (r == 0)
            t->flows[i].from.row = slice.row;
        else if (r != -ENOENT)
            return r;
        r = ct_lane_slice(s, t->flows[i].to.lane, t->flows[i].to.ns, &slice, &stack);
        if (r == 0)
            t->flows[i].to.row = slice.row;
        else if (r != -ENOENT)
            return r;
    }
    return 0;
}

static int collect(const struct ct_store *s, struct touching *t)
{
    struct ct_walker walker = { node, leaf, t, false };
    struct ct_strip strip;
    int r = ct_store_strip(s, CT_INDEX_NONE, &strip);

    if (r < 0)
        return r;
    r = ct_strip_walk(&strip, &walker);
    ct_strip_fini(&strip);
    return r < 0 ? r : add_rows(s, t);
}

int ct_index_flows(struct ct_index *index, int64_t from_ns, int64_t to_ns, const struct ct_index_set *lanes, size_t limit,
                   struct ct_index_flows *ret)
{
    struct touching t = { .from = from_ns, .to = to_ns, .memory = ct_index_memory_new(), .limit = limit };
    struct ct_lane_set set;
    struct ct_store s;
    int r = t.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(t.memory);
        return r;
    }
    t.lanes = &set;
    r = ct_lane_set_init(&set, lanes, s.lane_count, t.memory);
    if (r == 0)
        r = collect(&s, &t);
    ct_index_end(index, &s);
    if (r == 0 && ct_index_short(t.memory))
        r = -ENOMEM;
    if (r < 0)
        ct_index_free(t.memory);
    else
        *ret = (struct ct_index_flows){ t.memory, t.flows, t.count, t.more };
    return r;
}
