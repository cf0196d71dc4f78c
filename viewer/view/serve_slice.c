/* /api/slice and /api/flows: all about one slice, and the arrows between lanes. */
#include <stdlib.h>

#include "converter/index/query.h"
#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/frames.h"
#include "viewer/view/view.h"

enum { FLOWS = 1000, FLOWS_MAX = 20000 };

static void put_place(struct ct_doc *doc, const char *key, const struct ct_index_place *place)
{
    ct_doc_open(doc, key, '{');
    ct_doc_u64(doc, "lane", place->lane);
    if (place->row == CT_INDEX_NONE) {
        ct_doc_null(doc, "row");
        ct_doc_null(doc, "slice");
    } else {
        ct_doc_u64(doc, "row", place->row);
        ct_doc_u64(doc, "slice", place->slice);
    }
    ct_doc_text(doc, "name", place->name);
    ct_doc_i64(doc, "ns", place->ns);
    ct_view_put_stack(doc, "stack", &place->stack);
    ct_doc_close(doc, '}');
}

static void put_neighbour(struct ct_doc *doc, const char *key, const struct ct_index_neighbour *n)
{
    if (n->slice == CT_INDEX_NONE) {
        ct_doc_null(doc, key);
        return;
    }
    ct_doc_open(doc, key, '{');
    ct_doc_u64(doc, "row", n->row);
    ct_doc_u64(doc, "slice", n->slice);
    ct_doc_i64(doc, "start_ns", n->start_ns);
    ct_doc_close(doc, '}');
}

static void put_arguments(struct ct_doc *doc, const struct ct_index_slice *s)
{
    ct_doc_open(doc, "args", '[');
    for (size_t i = 0; i < s->arg_count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_doc_text(doc, "name", s->args[i].name);
        ct_doc_text(doc, "value", s->args[i].value);
        ct_doc_text(doc, "text", s->args[i].text);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

static void put_times(struct ct_doc *doc, const struct ct_index_slice *s)
{
    ct_doc_i64(doc, "start_ns", s->start_ns);
    ct_doc_i64(doc, "dur_ns", s->dur_ns);
    ct_doc_i64(doc, "self_ns", s->self_ns);
    if (s->cpu_ns < 0)
        ct_doc_null(doc, "cpu_ns");
    else
        ct_doc_i64(doc, "cpu_ns", s->cpu_ns);
    ct_doc_text(doc, "state", s->state);
    ct_doc_open(doc, "flags", '[');
    if (s->cut_start)
        ct_doc_string(doc, NULL, "cut at start");
    if (s->cut_end)
        ct_doc_string(doc, NULL, "cut at end");
    if (s->end_lost)
        ct_doc_string(doc, NULL, "end lost");
    if (s->class == CT_CLASS_MAYBE)
        ct_doc_string(doc, NULL, "guess");
    ct_doc_close(doc, ']');
}

static void put_slice(struct ct_doc *doc, const struct ct_index_slice *s)
{
    ct_doc_open(doc, NULL, '{');
    ct_doc_u64(doc, "row", s->row);
    ct_doc_u64(doc, "slice", s->slice);
    ct_doc_u64(doc, "lane", s->lane);
    ct_doc_u64(doc, "name_id", s->name_id);
    ct_doc_text(doc, "name", s->name);
    ct_doc_u64(doc, "class", s->class);
    put_times(doc, s);
    put_arguments(doc, s);
    ct_view_put_stack(doc, "stack", &s->stack);
    ct_view_put_stack(doc, "end_stack", &s->end_stack);
    if (s->has_waker)
        put_place(doc, "waker", &s->waker);
    else
        ct_doc_null(doc, "waker");
    ct_doc_open(doc, "woken", '[');
    for (size_t i = 0; i < s->woken_count; i++)
        put_place(doc, NULL, &s->woken[i]);
    ct_doc_close(doc, ']');
    put_neighbour(doc, "parent", &s->parent);
    put_neighbour(doc, "previous", &s->previous);
    put_neighbour(doc, "next", &s->next);
    ct_doc_close(doc, '}');
}

void ct_answer_slice(struct ct_exchange *x)
{
    struct ct_index_slice s;
    int64_t row, slice;
    struct ct_doc doc;

    if (!ct_ask_number(x, "row", 0, CT_INDEX_NONE - 1, -1, &row) || !ct_ask_number(x, "slice", 0, CT_INDEX_NONE - 1, -1, &slice))
        return;
    if (slice >= CT_INDEX_EARLY) {
        ct_reply_fault(&x->reply, 404, "This part of the trace is not indexed yet: ask again when it is.");
        return;
    }
    if (!ct_view_good(x, ct_index_slice(ct_view_of(x)->index, (uint32_t)row, (uint32_t)slice, &s), NULL))
        return;
    doc = ct_doc_begin(&x->reply);
    put_slice(&doc, &s);
    ct_index_free(s.memory);
}

/* ---- flows ---- */

static void put_end(struct ct_doc *doc, const char *key, uint32_t lane, uint32_t row, int64_t ns)
{
    ct_doc_open(doc, key, '{');
    ct_doc_u64(doc, "lane", lane);
    if (row == CT_INDEX_NONE)
        ct_doc_null(doc, "row");
    else
        ct_doc_u64(doc, "row", row);
    ct_doc_i64(doc, "ns", ns);
    ct_doc_close(doc, '}');
}

static void put_flows(struct ct_doc *doc, const struct ct_index_flows *flows)
{
    static const char *const kinds[] = { "wake", "create", "join" };

    ct_doc_open(doc, NULL, '{');
    ct_doc_open(doc, "flows", '[');
    for (size_t i = 0; i < flows->count; i++) {
        const struct ct_index_flow *f = &flows->flows[i];

        ct_doc_open(doc, NULL, '{');
        ct_doc_string(doc, "kind", kinds[f->kind]);
        put_end(doc, "from", f->from.lane, f->from.row, f->from.ns);
        put_end(doc, "to", f->to.lane, f->to.row, f->to.ns);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
    ct_doc_bool(doc, "more", flows->more);
    ct_doc_close(doc, '}');
}

void ct_answer_flows(struct ct_exchange *x)
{
    struct ct_view_range range;
    struct ct_index_flows flows;
    struct ct_doc doc;
    int64_t limit;

    if (!ct_ask_number(x, "limit", 1, FLOWS_MAX, FLOWS, &limit) || !ct_view_take_range(x, &range))
        return;
    if (ct_view_good(x, ct_index_flows(ct_view_of(x)->index, range.from, range.to, &range.set, (size_t)limit, &flows), NULL)) {
        doc = ct_doc_begin(&x->reply);
        put_flows(&doc, &flows);
        ct_index_free(flows.memory);
    }
    ct_view_range_fini(&range);
}
