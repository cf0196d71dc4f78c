/* The viewer's table of endpoints, and GET /api, which is made from it. */
#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/view.h"

enum { READ = CT_METHOD_GET | CT_METHOD_HEAD, KEEP = READ | CT_METHOD_PUT, OF_TRACE = CT_ENDPOINT_OWN, OF_PROFILE = 2 * OF_TRACE };

static void answer_no_api(struct ct_exchange *x)
{
    ct_reply_fault(&x->reply, 404, "There is no such endpoint; GET /api lists them all.");
}

/* The first that fits; the page's files come last. */
static const struct ct_endpoint rows[] = {
    { "/api", READ, 0, ct_answer_api, NULL, "Every endpoint: path, methods, parameters, one sentence.", "" },
    { "/api/progress", READ, 0, ct_answer_progress, NULL, "How far the index is.", "" },
    { "/api/meta", READ, 0, ct_answer_meta, NULL, "What was opened: files, programs, time, classes of slices.", "" },
    { "/api/start", READ, 0, ct_answer_start, NULL, "What a page begins with, in one answer: meta, lanes, names.", "" },
    { "/api/lanes", READ, OF_TRACE, ct_answer_lanes, NULL, "Every lane with its rows.", "" },
    { "/api/names", READ, OF_TRACE, ct_answer_names, NULL, "Names of slices and their classes, from an id on.", "from" },
    { "/api/tiles", READ, OF_TRACE, ct_answer_tiles, NULL,
      "Slices and values of up to 256 rows at a zoom level, as columns in binary.", "l i rows v" },
    { "/api/slice", READ, OF_TRACE, ct_answer_slice, NULL,
      "All about a slice: arguments, stacks, who woke whom, its neighbours.", "row slice" },
    { "/api/flows", READ, OF_TRACE, ct_answer_flows, NULL, "Arrows between lanes in a range.", "from to lanes limit" },
    { "/api/search", READ, OF_TRACE, ct_answer_search, NULL, "Slices that match a query, and where they lie.", "q from to limit order after" },
    { "/api/range", READ, OF_TRACE, ct_answer_range, NULL, "Sums by name and by state over a range.", "from to lanes" },
    { "/api/flame", READ, OF_TRACE, ct_answer_flame, NULL, "A flame graph of the samples or waits in a range.", "kind from to lanes" },
    { "/api/overview", READ, OF_TRACE, ct_answer_overview, NULL,
      "The whole trace at a glance: busiest threads, longest waits, pauses, losses, minimap.", "" },
    { "/api/threads", READ, OF_TRACE, ct_answer_view_threads, NULL, "Threads by start routine: how many, how long in each state.", "" },
    { "/api/profile", READ, OF_PROFILE, ct_answer_view_profile, NULL, "A profile's sample types and comments.", "" },
    { "/api/profile/flame", READ, OF_PROFILE, ct_answer_profile_flame, NULL, "A profile's flame graph.", "type base" },
    { "/api/profile/top", READ, OF_PROFILE, ct_answer_profile_top, NULL, "A profile's functions by what they cost.", "type base" },
    { "/api/notes", KEEP, 0, ct_answer_notes, NULL, "Bookmarks and notes, kept beside the trace.", "" },
    { "/api/settings", KEEP, 0, ct_answer_settings, NULL, "Settings of the page, kept for the user.", "" },
    { "/licenses", READ, CT_ENDPOINT_OPEN, ct_answer_licenses, NULL, NULL, NULL },
    { "/api/", READ, CT_ENDPOINT_TREE, answer_no_api, NULL, NULL, NULL },
    { "/", READ, CT_ENDPOINT_TREE | CT_ENDPOINT_OPEN, ct_answer_asset, NULL, NULL, NULL },
};
enum { ROWS = sizeof rows / sizeof *rows };
const struct ct_endpoint_table ct_view_endpoints = { rows, ROWS };

bool ct_view_check(struct ct_exchange *x)
{
    const struct ct_view *view = ct_view_of(x);

    if (x->row->flags & OF_TRACE && !view->index) {
        ct_reply_fault(&x->reply, 404, "A profile is served here, which has no timeline.");
        return false;
    }
    if (x->row->flags & OF_PROFILE && !view->profile) {
        ct_reply_fault(&x->reply, 404, "A trace is served here, not a profile.");
        return false;
    }
    return ct_ask_check(x);
}

void ct_answer_api(struct ct_exchange *x)
{
    struct ct_doc doc = ct_doc_begin(&x->reply);

    ct_doc_open(&doc, NULL, '[');
    for (unsigned i = 0; i < ROWS; i++) {
        if (!rows[i].doc)
            continue;
        ct_doc_open(&doc, NULL, '{');
        ct_doc_string(&doc, "path", rows[i].path);
        ct_doc_string(&doc, "methods", rows[i].methods & CT_METHOD_PUT ? "GET HEAD PUT" : "GET HEAD");
        ct_doc_string(&doc, "parameters", rows[i].parameters);
        ct_doc_string(&doc, "doc", rows[i].doc);
        ct_doc_close(&doc, '}');
    }
    ct_doc_close(&doc, ']');
}
