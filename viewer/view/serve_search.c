/* /api/search: slices that match a query, in order of time or the longest first, some at a time; and how many lie where. */
#include <stdio.h>

#include "converter/index/query.h"
#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/frames.h"
#include "viewer/view/view.h"

enum { HITS = 100, HITS_MAX = 10000 };

/* "NS,ROW,SLICE", as the last hit said: what lies behind it is asked for. */
static bool take_after(struct ct_exchange *x, struct ct_index_search *search)
{
    char text[CT_ASK_TEXT];
    long long ns;
    unsigned row, slice;
    int end = 0;
    bool there;

    if (!ct_ask_text(x, "after", text, &there))
        return false;
    search->after_ns = INT64_MIN;
    if (!*text)
        return true;
    if (sscanf(text, "%19lld,%9u,%9u%n", &ns, &row, &slice, &end) != 3 || text[end]) {
        ct_reply_fault(&x->reply, 400, "The parameter \"after\" must be START,ROW,SLICE of a hit.");
        return false;
    }
    search->after_ns = ns;
    search->after_row = row;
    search->after_slice = slice;
    return true;
}

static void put_hits(struct ct_doc *doc, const struct ct_index_hits *hits)
{
    ct_doc_open(doc, NULL, '{');
    ct_doc_open(doc, "hits", '[');
    for (size_t i = 0; i < hits->count; i++) {
        const struct ct_index_hit *hit = &hits->hits[i];

        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "row", hit->row);
        ct_doc_u64(doc, "slice", hit->slice);
        ct_doc_u64(doc, "lane", hit->lane);
        ct_doc_u64(doc, "name_id", hit->name_id);
        ct_doc_text(doc, "name", hit->name);
        ct_doc_i64(doc, "start_ns", hit->start_ns);
        ct_doc_i64(doc, "dur_ns", hit->dur_ns);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
    ct_doc_u64(doc, "total", hits->total);
    ct_doc_bool(doc, "more", hits->more);
    ct_doc_open(doc, "bins", '[');
    for (unsigned i = 0; i < CT_SEARCH_BINS; i++)
        ct_doc_u64(doc, NULL, hits->bins[i]);
    ct_doc_close(doc, ']');
    ct_doc_close(doc, '}');
}

void ct_answer_search(struct ct_exchange *x)
{
    struct ct_view_patience patience = ct_view_patience(x);
    struct ct_index_search search = { .stop = ct_view_impatient, .context = &patience };
    struct ct_error err = { 0 };
    struct ct_index_hits hits;
    static const char *const orders[] = { "time", "longest", NULL };
    char text[CT_ASK_TEXT];
    int64_t span, limit;
    unsigned order;
    struct ct_doc doc;
    bool there;

    if (!ct_view_span(x, &span) || !ct_ask_span(x, span, &search.from_ns, &search.to_ns) || !ct_ask_text(x, "q", text, &there) ||
        !ct_ask_number(x, "limit", 1, HITS_MAX, HITS, &limit) || !ct_ask_word(x, "order", orders, &order) ||
        !take_after(x, &search))
        return;
    if (order && search.after_ns != INT64_MIN) {
        ct_reply_fault(&x->reply, 400, "The parameter \"after\" goes with order=time alone.");
        return;
    }
    search.longest = order;
    if (!*text) {
        ct_reply_fault(&x->reply, 400, "The parameter \"q\" is missing: what is searched for?");
        return;
    }
    search.text = text;
    search.limit = (size_t)limit;
    if (!ct_view_good(x, ct_index_search(ct_view_of(x)->index, &search, &hits, &err), &err))
        return;
    doc = ct_doc_begin(&x->reply);
    put_hits(&doc, &hits);
    ct_index_free(hits.memory);
}
