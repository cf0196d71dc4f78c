/* /api/range and /api/flame: sums over a range of time and lanes. */
#include "converter/index/query.h"
#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/frames.h"
#include "viewer/view/view.h"

static void put_sums(struct ct_doc *doc, const struct ct_index_range *range)
{
    ct_doc_open(doc, "names", '[');
    for (size_t i = 0; i < range->name_count; i++) {
        const struct ct_index_sum *sum = &range->names[i];

        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "name_id", sum->name_id);
        ct_doc_text(doc, "name", sum->name);
        ct_doc_u64(doc, "class", sum->class);
        ct_doc_u64(doc, "count", sum->count);
        ct_doc_i64(doc, "total_ns", sum->total_ns);
        ct_doc_i64(doc, "max_ns", sum->max_ns);
        ct_doc_i64(doc, "min_ns", sum->min_ns);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

static void put_states(struct ct_doc *doc, const struct ct_index_range *range)
{
    ct_doc_open(doc, "states", '[');
    for (size_t i = 0; i < range->state_count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_doc_u64(doc, "lane", range->states[i].lane);
        ct_doc_open(doc, "class", '[');
        for (unsigned class = 0; class < CT_CLASS_END; class++)
            ct_doc_i64(doc, NULL, range->states[i].ns[class]);
        ct_doc_close(doc, ']');
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
}

void ct_answer_range(struct ct_exchange *x)
{
    struct ct_view_patience patience = ct_view_patience(x);
    struct ct_view_range range;
    struct ct_index_range sums;
    struct ct_doc doc;

    if (!ct_view_take_range(x, &range))
        return;
    if (ct_view_good(x, ct_index_range(ct_view_of(x)->index, range.from, range.to, &range.set, ct_view_impatient, &patience, &sums),
                     NULL)) {
        doc = ct_doc_begin(&x->reply);
        ct_doc_open(&doc, NULL, '{');
        put_sums(&doc, &sums);
        put_states(&doc, &sums);
        ct_doc_close(&doc, '}');
        ct_index_free(sums.memory);
    }
    ct_view_range_fini(&range);
}

/* ---- the flame graph ---- */

static void put_flame(struct ct_doc *doc, const struct ct_index_flame *flame)
{
    ct_doc_open(doc, NULL, '{');
    ct_doc_string(doc, "unit", flame->unit);
    ct_doc_i64(doc, "total", flame->total);
    ct_doc_open(doc, "frames", '[');
    for (size_t i = 0; i < flame->frame_count; i++) {
        ct_doc_open(doc, NULL, '{');
        ct_view_put_frame(doc, &flame->frames[i]);
        ct_doc_close(doc, '}');
    }
    ct_doc_close(doc, ']');
    ct_doc_open(doc, "nodes", '[');
    for (size_t i = 0; i < flame->node_count; i++) {
        const struct ct_index_flame_node *node = &flame->nodes[i];

        ct_doc_open(doc, NULL, '[');
        ct_doc_i64(doc, NULL, i ? (int64_t)node->parent : -1);
        ct_doc_i64(doc, NULL, i ? (int64_t)node->frame : -1);
        ct_doc_i64(doc, NULL, node->self);
        ct_doc_i64(doc, NULL, node->total);
        ct_doc_close(doc, ']');
    }
    ct_doc_close(doc, ']');
    ct_doc_close(doc, '}');
}

void ct_answer_flame(struct ct_exchange *x)
{
    static const char *const kinds[] = { "cpu", "alloc", "wait", NULL };
    static const enum ct_index_flame_kind values[] = { CT_FLAME_CPU, CT_FLAME_ALLOC, CT_FLAME_WAIT };
    struct ct_view_patience patience = ct_view_patience(x);
    struct ct_view_range range;
    struct ct_index_flame flame;
    struct ct_doc doc;
    unsigned kind;

    if (!ct_ask_word(x, "kind", kinds, &kind) || !ct_view_take_range(x, &range))
        return;
    if (ct_view_good(x, ct_index_flame(ct_view_of(x)->index, values[kind], range.from, range.to, &range.set, ct_view_impatient,
                                       &patience, &flame), NULL)) {
        doc = ct_doc_begin(&x->reply);
        put_flame(&doc, &flame);
        ct_index_free(flame.memory);
    }
    ct_view_range_fini(&range);
}
