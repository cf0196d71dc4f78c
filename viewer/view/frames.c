/* What several endpoints say alike: stacks and frames; and what several ask alike: a range of time and lanes. */
#include "viewer/view/frames.h"

#include <stdlib.h>

#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/view.h"

enum { LANES_MAX = 16384 };

void ct_view_put_frame(struct ct_doc *doc, const struct ct_index_frame *frame)
{
    ct_doc_text(doc, "function", frame->function);
    ct_doc_text(doc, "file", frame->file);
    ct_doc_u64(doc, "line", frame->line);
    ct_doc_text(doc, "module", frame->module);
}

void ct_view_put_stack(struct ct_doc *doc, const char *key, const struct ct_index_stack *stack)
{
    ct_doc_open(doc, key, '[');
    for (size_t i = 0; i < stack->count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_view_put_frame(doc, &stack->frames[i]);
        ct_doc_bool(doc, "inlined", stack->frames[i].inlined);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

bool ct_view_span(struct ct_exchange *x, int64_t *ret)
{
    struct ct_index_meta meta;

    if (!ct_view_good(x, ct_index_meta(ct_view_of(x)->index, &meta), NULL))
        return false;
    *ret = meta.span_ns;
    ct_index_free(meta.memory);
    return true;
}

bool ct_view_take_range(struct ct_exchange *x, struct ct_view_range *ret)
{
    int64_t span;

    if (!ct_view_span(x, &span) || !ct_ask_span(x, span, &ret->from, &ret->to))
        return false;
    ret->lanes = malloc(LANES_MAX * sizeof *ret->lanes);
    if (!ret->lanes) {
        ct_reply_fault(&x->reply, 503, "Out of memory.");
        return false;
    }
    if (!ct_ask_list(x, "lanes", ret->lanes, LANES_MAX, &ret->set.count)) {
        free(ret->lanes);
        return false;
    }
    ret->set.lanes = ret->lanes;
    return true;
}

void ct_view_range_fini(struct ct_view_range *range)
{
    free(range->lanes);
    range->lanes = NULL;
}
