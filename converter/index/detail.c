/* Everything about one slice. */
#include <errno.h>

#include "converter/index/argument.h"
#include "converter/index/flow.h"
#include "converter/index/frames.h"
#include "converter/index/slice.h"
#include "converter/model/model.h"

/* --- sums within a slice --- */

enum { STATES = 32 };                   /* different ones within a slice that are told apart */

struct within {
    const struct ct_store *store;
    int64_t from, to, running, all;
    struct { uint32_t name; int64_t ns; } state[STATES];
    unsigned states;
};

static int64_t overlap(const struct within *w, int64_t start, int64_t end)
{
    start = start > w->from ? start : w->from;
    end = end < w->to ? end : w->to;
    return end > start ? end - start : 0;
}

static enum ct_walk within_node(void *context, const struct ct_sum *s, uint32_t first)
{
    const struct within *w = context;

    return s->start >= w->to ? CT_WALK_END : s->end <= w->from ? CT_WALK_OVER : CT_WALK_IN;
}

static bool state_leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];
    struct within *w = context;

    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++) {
        int64_t ns = overlap(w, start[i], start[i] + dur[i]);
        uint32_t name = ct_leaf_name(l, i);
        unsigned k = 0;

        if (ns == 0)
            continue;
        if (ct_store_name(w->store, name)->class == CT_CLASS_RUNNING)
            w->running += ns;
        w->all += ns;
        while (k < w->states && w->state[k].name != name)
            k++;
        if (k == STATES)
            continue;
        if (k == w->states) {
            w->state[w->states++].name = name;
            w->state[k].ns = 0;
        }
        w->state[k].ns += ns;
    }
    return true;
}

static enum ct_walk children_node(void *context, const struct ct_sum *s, uint32_t first)
{
    struct within *w = context;
    enum ct_walk what = within_node(context, s, first);

    if (what != CT_WALK_IN || s->start < w->from || s->end > w->to)
        return what;
    w->all += (int64_t)s->slices.busy;
    return CT_WALK_OVER;
}

static bool children_leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];
    struct within *w = context;

    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++)
        w->all += overlap(w, start[i], start[i] + dur[i]);
    return true;
}

static int sum_row(const struct ct_store *s, uint32_t row, struct within *w, bool states)
{
    struct ct_walker walker = { children_node, children_leaf, w, false };
    struct ct_strip strip;
    int r;

    if (states)
        walker = (struct ct_walker){ within_node, state_leaf, w, false };
    if (row == CT_INDEX_NONE)
        return 0;
    r = ct_store_strip(s, row, &strip);
    if (r < 0)
        return r;
    r = ct_strip_walk(&strip, &walker);
    ct_strip_fini(&strip);
    return r;
}

static int add_times(const struct ct_store *s, struct ct_index_slice *ret, const struct ct_row_record *row,
                     const struct ct_slice *slice)
{
    struct within w = { .store = s, .from = slice->start, .to = slice->end };
    bool thread = s->lanes[row->lane].kind == CT_LANE_THREAD;
    int r = 0;
    unsigned most = 0;

    if (row->kind == CT_ROW_SLICES && thread)
        r = sum_row(s, ct_lane_row(s, row->lane, CT_ROW_SLICES, row->depth + 1), &w, false);
    ret->self_ns = ret->dur_ns - w.all;
    w.all = 0;
    ret->cpu_ns = -1;
    if (r < 0 || !thread)
        return r;
    r = sum_row(s, ct_lane_row(s, row->lane, CT_ROW_STATE, 0), &w, true);
    if (w.all == 0)
        return r;
    ret->cpu_ns = w.running;
    for (unsigned i = 0; i < w.states; i++)
        if (w.state[i].ns > w.state[most].ns)
            most = i;
    ret->state = ct_index_copy(ret->memory, ct_store_text(s, ct_store_name(s, w.state[most].name)->text));
    return r;
}

/* --- the same name before and after --- */

struct neighbour {
    uint32_t name, than;
    bool before;
    struct ct_index_neighbour *ret;
};

static enum ct_walk neighbour_node(void *context, const struct ct_sum *s, uint32_t first)
{
    const struct neighbour *n = context;

    if (!(s->slices.names >> (n->name & 63) & 1))
        return CT_WALK_OVER;
    return n->before ? first < n->than ? CT_WALK_IN : CT_WALK_OVER
                     : (uint64_t)first + s->count > (uint64_t)n->than + 1 ? CT_WALK_IN : CT_WALK_OVER;
}

static bool neighbour_leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    struct neighbour *n = context;

    for (unsigned k = 0; k < l->count; k++) {
        unsigned i = n->before ? l->count - 1 - k : k;

        if (ct_leaf_name(l, i) != n->name || (n->before ? first + i >= n->than : first + i <= n->than))
            continue;
        n->ret->slice = first + i;
        n->ret->start_ns = ct_leaf_start(l, i);
        return false;
    }
    return true;
}

static int add_neighbour(const struct ct_strip *strip, const struct ct_slice *slice, bool before,
                         struct ct_index_neighbour *ret)
{
    struct neighbour n = { slice->name, slice->number, before, ret };
    struct ct_walker walker = { neighbour_node, neighbour_leaf, &n, before };
    int r;

    *ret = (struct ct_index_neighbour){ CT_INDEX_NONE, CT_INDEX_NONE, 0 };
    r = ct_strip_walk(strip, &walker);
    if (ret->slice != CT_INDEX_NONE)
        ret->row = slice->row;
    return r;
}

static int add_parent(const struct ct_store *s, const struct ct_row_record *row, const struct ct_slice *slice,
                      struct ct_index_neighbour *ret)
{
    uint32_t above = row->kind == CT_ROW_SLICES && row->depth > 0 && s->lanes[row->lane].kind == CT_LANE_THREAD
                         ? ct_lane_row(s, row->lane, CT_ROW_SLICES, row->depth - 1) : CT_INDEX_NONE;
    struct ct_strip strip;
    struct ct_slice parent;
    int r;

    *ret = (struct ct_index_neighbour){ CT_INDEX_NONE, CT_INDEX_NONE, 0 };
    if (above == CT_INDEX_NONE)
        return 0;
    r = ct_store_strip(s, above, &strip);
    if (r < 0)
        return r;
    r = ct_slice_at(&strip, slice->start, &parent);
    if (r == 0 && parent.end >= slice->end)
        *ret = (struct ct_index_neighbour){ above, parent.number, parent.start };
    ct_strip_fini(&strip);
    return r == -ENOENT ? 0 : r;
}

/* --- who woke whom --- */

static int place_of(const struct ct_store *s, uint32_t lane, int64_t ns, struct ct_index_memory *memory,
                    struct ct_index_place *ret)
{
    struct ct_slice slice;
    uint32_t stack;
    int r = ct_lane_slice(s, lane, ns, &slice, &stack);

    *ret = (struct ct_index_place){ .lane = lane, .row = CT_INDEX_NONE, .slice = CT_INDEX_NONE, .name = { "", 0 }, .ns = ns };
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    ret->row = slice.row;
    ret->slice = slice.number;
    ret->name = ct_index_copy(memory, ct_store_text(s, ct_store_name(s, slice.name)->text));
    ret->stack = ct_frames_stack(s, stack, memory);
    return 0;
}

struct woken {
    uint32_t lane;
    int64_t from, to;
    struct { uint32_t lane; int64_t ns; } found[CT_INDEX_WOKEN];
    unsigned count;
};

static enum ct_walk woken_node(void *context, const struct ct_sum *s, uint32_t first)
{
    const struct woken *w = context;

    return s->start <= w->to && s->end >= w->from && s->slices.names >> (w->lane & 63) & 1 ? CT_WALK_IN : CT_WALK_OVER;
}

static bool woken_leaf(void *context, const struct ct_leaf *l, uint32_t first)
{
    struct woken *w = context;

    for (unsigned i = 0; i < l->count; i++) {
        int64_t from = ct_leaf_start(l, i);
        struct ct_flow flow;

        if (from < w->from || from > w->to || ct_leaf_name(l, i) != w->lane || !ct_flow_of(l, i, &flow))
            continue;
        if (w->count == CT_INDEX_WOKEN)
            return false;
        w->found[w->count].lane = flow.to_lane;
        w->found[w->count++].ns = flow.to_ns;
    }
    return true;
}

static int add_woken(const struct ct_store *s, struct ct_index_slice *ret)
{
    struct woken w = { .lane = ret->lane, .from = ret->start_ns, .to = ret->start_ns + ret->dur_ns };
    struct ct_walker walker = { woken_node, woken_leaf, &w, false };
    struct ct_index_place *places;
    struct ct_strip strip;
    int r = ct_store_strip(s, CT_INDEX_NONE, &strip);

    if (r < 0)
        return r;
    r = ct_strip_walk(&strip, &walker);
    ct_strip_fini(&strip);
    places = ct_index_take(ret->memory, w.count * sizeof *places);
    for (unsigned i = 0; places && r == 0 && i < w.count; i++)
        r = place_of(s, w.found[i].lane, w.found[i].ns, ret->memory, &places[i]);
    ret->woken = places;
    ret->woken_count = places ? w.count : 0;
    return r;
}

/* --- the whole --- */

static int stack_at(const struct ct_store *s, uint32_t lane, int64_t ns, struct ct_index_memory *memory,
                    struct ct_index_stack *ret)
{
    struct ct_slice slice;
    uint32_t stack;
    int r = ct_lane_slice(s, lane, ns, &slice, &stack);

    if (r == 0)
        *ret = ct_frames_stack(s, stack, memory);
    return r == -ENOENT ? 0 : r;
}

/* A state has no stack: where a thread runs begins where its call or wait before returned, and ends where the next one begins. */
static int add_stacks(const struct ct_store *s, const struct ct_row_record *row, const struct ct_name_record *name,
                      struct ct_index_slice *ret)
{
    bool cpu = s->lanes[row->lane].kind == CT_LANE_CPU;
    uint32_t lane = cpu ? name->lane : row->lane;
    int r;

    if (!cpu && row->kind != CT_ROW_STATE)
        return 0;
    r = ret->cut_start ? 0 : stack_at(s, lane, ret->start_ns, ret->memory, &ret->stack);
    if (r == 0 && ret->class == CT_CLASS_RUNNING)
        r = stack_at(s, lane, ret->start_ns + ret->dur_ns, ret->memory, &ret->end_stack);
    return r;
}

static int describe(const struct ct_store *s, const struct ct_strip *strip, const struct ct_slice *slice,
                    struct ct_index_slice *ret)
{
    const struct ct_row_record *row = ct_store_row(s, slice->row);
    const struct ct_name_record *name = ct_store_name(s, slice->name);
    struct ct_index_argument *args;
    struct ct_payload payload;
    int r;

    ct_payload_open(&payload, slice->payload, slice->payload_size);
    ret->row = slice->row;
    ret->slice = slice->number;
    ret->lane = row->lane;
    ret->name_id = slice->name;
    ret->name = ct_index_copy(ret->memory, ct_store_text(s, name->text));
    ret->class = name->class;
    ret->start_ns = slice->start;
    ret->dur_ns = slice->end - slice->start;
    ret->cut_start = payload.flags & CT_SPAN_CUT_START;
    ret->cut_end = payload.flags & CT_SPAN_CUT_END;
    ret->end_lost = payload.flags & CT_SPAN_LOST;
    ret->stack = ct_frames_stack(s, payload.stack, ret->memory);
    ret->arg_count = ct_argument_list(s, name, s->lanes[row->lane].program, payload, ret->memory, &args);
    ret->args = args;
    r = add_times(s, ret, row, slice);
    if (r == 0)
        r = add_stacks(s, row, name, ret);
    if (r == 0)
        r = add_parent(s, row, slice, &ret->parent);
    if (r == 0)
        r = add_neighbour(strip, slice, true, &ret->previous);
    if (r == 0)
        r = add_neighbour(strip, slice, false, &ret->next);
    if (r == 0 && payload.waker < s->lane_count) {
        ret->has_waker = true;
        r = place_of(s, payload.waker, slice->end - payload.waker_before, ret->memory, &ret->waker);
    }
    if (r == 0 && row->kind == CT_ROW_SLICES && s->lanes[row->lane].kind == CT_LANE_THREAD)
        r = add_woken(s, ret);
    return r;
}

int ct_index_slice(struct ct_index *index, uint32_t row, uint32_t number, struct ct_index_slice *ret)
{
    struct ct_index_slice detail = { .memory = ct_index_memory_new() };
    struct ct_slice slice = { .row = row };
    struct ct_strip strip;
    struct ct_store s;
    int r = detail.memory ? ct_index_begin(index, &s) : -ENOMEM;

    if (r < 0) {
        ct_index_free(detail.memory);
        return r;
    }
    r = row == CT_INDEX_NONE ? -ENOENT : ct_store_strip(&s, row, &strip);
    if (r == 0) {
        r = ct_slice_of(&strip, number, &slice);
        if (r == 0 && ct_store_row(&s, row)->lane >= s.lane_count)
            r = -EBADMSG;
        if (r == 0)
            r = describe(&s, &strip, &slice, &detail);
        ct_strip_fini(&strip);
    }
    ct_index_end(index, &s);
    if (r == 0 && ct_index_short(detail.memory))
        r = -ENOMEM;
    if (r < 0)
        ct_index_free(detail.memory);
    else
        *ret = detail;
    return r;
}
