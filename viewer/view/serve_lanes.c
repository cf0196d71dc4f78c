/* /api/lanes and /api/names: what stands at the left, and what slices are called. */
#include "viewer/view/serve_lanes.h"

#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/view.h"

static void put_rows(struct ct_doc *doc, const struct ct_index_lane *lane)
{
    static const char *const kinds[] = { "state", "slices", "marks", "value" };

    ct_doc_open(doc, "rows", '[');
    for (size_t i = 0; i < lane->row_count; i++) {
        const struct ct_index_row *row = &lane->rows[i];

        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "id", row->id);
        ct_doc_u64(doc, "key", row->key);
        ct_doc_string(doc, "kind", kinds[row->kind]);
        ct_doc_u64(doc, "depth", row->depth);
        ct_doc_u64(doc, "count", row->count);
        ct_doc_text(doc, "name", row->name);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

static void put_lane(struct ct_doc *doc, const struct ct_index_lane *lane)
{
    static const char *const kinds[] = { "thread", "cpu", "counter", "pause", "task" };

    ct_doc_open(doc, NULL, '{');
    ct_doc_u64(doc, "id", lane->id);
    ct_doc_u64(doc, "key", lane->key);
    ct_doc_string(doc, "kind", kinds[lane->kind]);
    ct_doc_i64(doc, "program", lane->program == UINT32_MAX ? -1 : (int64_t)lane->program);
    ct_doc_u64(doc, "tid", lane->tid);
    ct_doc_text(doc, "name", lane->name);
    ct_doc_text(doc, "group", lane->group);
    ct_doc_text(doc, "unit", lane->unit);
    ct_doc_text(doc, "host", lane->host);
    ct_doc_i64(doc, "start_ns", lane->start_ns);
    ct_doc_i64(doc, "end_ns", lane->end_ns);
    ct_doc_i64(doc, "busy_ns", lane->busy_ns);
    put_rows(doc, lane);
    ct_doc_close(doc, '}');
}

void ct_view_put_lanes(struct ct_doc *doc, const char *key, const struct ct_index_lanes *lanes)
{
    ct_doc_open(doc, key, '{');
    ct_doc_u64(doc, "revision", lanes->revision);
    ct_doc_open(doc, "lanes", '[');
    for (size_t i = 0; i < lanes->count; i++)
        put_lane(doc, &lanes->lanes[i]);
    ct_doc_close(doc, ']');
    ct_doc_close(doc, '}');
}

void ct_view_put_names(struct ct_doc *doc, const char *key, int64_t from, const struct ct_index_names *names)
{
    ct_doc_open(doc, key, '{');
    ct_doc_i64(doc, "from", from);
    ct_doc_open(doc, "names", '[');
    for (size_t i = 0; i < names->count; i++)
        ct_doc_text(doc, NULL, names->names[i]);
    ct_doc_close(doc, ']');
    ct_doc_open(doc, "classes", '[');
    for (size_t i = 0; i < names->count; i++)
        ct_doc_u64(doc, NULL, names->classes[i]);
    ct_doc_close(doc, ']');
    ct_doc_close(doc, '}');
}

void ct_answer_lanes(struct ct_exchange *x)
{
    struct ct_index_lanes lanes;
    struct ct_doc doc;

    if (!ct_view_good(x, ct_index_lanes(ct_view_of(x)->index, &lanes), NULL))
        return;
    doc = ct_doc_begin(&x->reply);
    ct_view_put_lanes(&doc, NULL, &lanes);
    ct_index_free(lanes.memory);
}

void ct_answer_names(struct ct_exchange *x)
{
    struct ct_index_names names;
    struct ct_doc doc;
    int64_t from;

    if (!ct_ask_number(x, "from", 0, UINT32_MAX, 0, &from) ||
        !ct_view_good(x, ct_index_names(ct_view_of(x)->index, (uint32_t)from, &names), NULL))
        return;
    doc = ct_doc_begin(&x->reply);
    ct_view_put_names(&doc, NULL, from, &names);
    ct_index_free(names.memory);
}
