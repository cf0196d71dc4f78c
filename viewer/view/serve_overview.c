/* /api/overview and /api/threads: the whole trace at a glance. */
#include "converter/index/query.h"
#include "viewer/view/doc.h"
#include "viewer/view/view.h"

static void put_busiest(struct ct_doc *doc, const struct ct_index_overview *o)
{
    ct_doc_open(doc, "busiest", '[');
    for (size_t i = 0; i < o->busiest_count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "lane", o->busiest[i].lane);
        ct_doc_text(doc, "name", o->busiest[i].name);
        ct_doc_i64(doc, "busy_ns", o->busiest[i].busy_ns);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

static void put_long(struct ct_doc *doc, const char *key, const struct ct_index_long *rows, size_t count)
{
    ct_doc_open(doc, key, '[');
    for (size_t i = 0; i < count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "row", rows[i].row);
        ct_doc_u64(doc, "slice", rows[i].slice);
        ct_doc_u64(doc, "lane", rows[i].lane);
        ct_doc_text(doc, "lane_name", rows[i].lane_name);
        ct_doc_text(doc, "name", rows[i].name);
        ct_doc_text(doc, "function", rows[i].function);
        ct_doc_u64(doc, "class", rows[i].class);
        ct_doc_i64(doc, "start_ns", rows[i].start_ns);
        ct_doc_i64(doc, "dur_ns", rows[i].dur_ns);
        if (rows[i].has_waker) {
            ct_doc_open(doc, "waker", '{');
            ct_doc_u64(doc, "lane", rows[i].waker_lane);
            ct_doc_text(doc, "name", rows[i].waker_name);
            ct_doc_close(doc, '}');
        } else {
            ct_doc_null(doc, "waker");
        }
        ct_doc_string(doc, "error", rows[i].result < 0 && rows[i].result > -4096 ? strerrorname_np((int)-rows[i].result) : NULL);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

static void put_minimap(struct ct_doc *doc, const struct ct_index_overview *o)
{
    ct_doc_open(doc, "minimap", '{');
    ct_doc_u64(doc, "bins", CT_OVERVIEW_BINS);
    ct_doc_open(doc, "running", '[');
    for (unsigned i = 0; i < CT_OVERVIEW_BINS; i++)
        ct_doc_real(doc, NULL, (double)o->running[i]);
    ct_doc_close(doc, ']');
    ct_doc_open(doc, "waiting", '[');
    for (unsigned i = 0; i < CT_OVERVIEW_BINS; i++)
        ct_doc_real(doc, NULL, (double)o->waiting[i]);
    ct_doc_close(doc, ']');
    ct_doc_open(doc, "lost", '[');
    for (unsigned i = 0; i < CT_OVERVIEW_BINS; i++)
        ct_doc_u64(doc, NULL, o->lost_bins[i]);
    ct_doc_close(doc, ']');
    ct_doc_close(doc, '}');
}

void ct_answer_overview(struct ct_exchange *x)
{
    struct ct_index_overview o;
    struct ct_doc doc;

    if (!ct_view_good(x, ct_index_overview(ct_view_of(x)->index, &o), NULL))
        return;
    doc = ct_doc_begin(&x->reply);
    ct_doc_open(&doc, NULL, '{');
    ct_doc_i64(&doc, "span_ns", o.span_ns);
    ct_doc_u64(&doc, "cpus", o.cpus);
    ct_doc_u64(&doc, "events", o.events);
    ct_doc_u64(&doc, "lost", o.lost);
    ct_doc_u64(&doc, "threads", o.threads);
    put_busiest(&doc, &o);
    put_long(&doc, "waits", o.waits, o.wait_count);
    put_long(&doc, "pauses", o.pauses, o.pause_count);
    put_minimap(&doc, &o);
    ct_doc_close(&doc, '}');
    ct_index_free(o.memory);
}

void ct_answer_view_threads(struct ct_exchange *x)
{
    struct ct_index_groups groups;
    struct ct_doc doc;

    if (!ct_view_good(x, ct_index_threads(ct_view_of(x)->index, &groups), NULL))
        return;
    doc = ct_doc_begin(&x->reply);
    ct_doc_open(&doc, NULL, '[');
    for (size_t i = 0; i < groups.count; i++) {
        const struct ct_index_group *g = &groups.groups[i];

        ct_doc_open(&doc, NULL, '{');
        ct_doc_text(&doc, "group", g->name);
        ct_doc_u64(&doc, "program", g->program);
        ct_doc_u64(&doc, "count", g->count);
        ct_doc_i64(&doc, "total_ns", g->total_ns);
        ct_doc_open(&doc, "states", '[');
        for (unsigned class = 0; class < CT_CLASS_END; class++)
            ct_doc_i64(&doc, NULL, g->ns[class]);
        ct_doc_close(&doc, ']');
        ct_doc_close(&doc, '}');
    }
    ct_doc_close(&doc, ']');
    ct_index_free(groups.memory);
}
