/* /api/profile and what is below it: a pprof profile that was opened instead of a trace. */
#include <stdlib.h>

#include "converter/profile/flame.h"
#include "viewer/view/ask.h"
#include "viewer/view/doc.h"
#include "viewer/view/profile.h"
#include "viewer/view/view.h"

void ct_answer_view_profile(struct ct_exchange *x)
{
    struct ct_doc doc = ct_doc_begin(&x->reply);

    ct_doc_open(&doc, NULL, '{');
    ct_view_profile_describe(ct_view_of(x)->profile, &doc);
    ct_doc_close(&doc, '}');
}

/* The tree that the parameters ask for.  False: the reply is made. */
static bool take_flame(struct ct_exchange *x, bool *ret_base, struct ct_flame **ret)
{
    const struct ct_view_profile *p = ct_view_of(x)->profile;
    struct ct_error err = { 0 };
    int64_t type, base;

    if (!ct_ask_number(x, "type", 0, (int64_t)p->own->type_count - 1, 0, &type) ||
        !ct_ask_number(x, "base", 0, p->base ? 1 : 0, 0, &base))
        return false;
    *ret_base = base;
    return ct_view_good(x, ct_flame_make(p->own, base ? p->base : NULL, (unsigned)type, ret, &err), &err);
}

static void put_frame(struct ct_doc *doc, const struct ct_flame_frame *f)
{
    ct_doc_string(doc, "function", f->function);
    ct_doc_string(doc, "file", f->file);
    ct_doc_i64(doc, "line", f->line);
    ct_doc_string(doc, "module", f->module);
}

static void put_head(struct ct_doc *doc, const struct ct_flame *flame, bool base)
{
    ct_doc_string(doc, "unit", flame->unit);
    ct_doc_i64(doc, "total", flame->nodes[0].total);
    if (base)
        ct_doc_i64(doc, "base_total", flame->nodes[0].base_total);
}

static void put_node(struct ct_doc *doc, const struct ct_flame_node *node, bool root, bool base)
{
    ct_doc_open(doc, NULL, '[');
    ct_doc_i64(doc, NULL, root ? -1 : (int64_t)node->parent);
    ct_doc_i64(doc, NULL, root ? -1 : (int64_t)node->frame);
    ct_doc_i64(doc, NULL, node->self);
    ct_doc_i64(doc, NULL, node->total);
    if (base) {
        ct_doc_i64(doc, NULL, node->base_self);
        ct_doc_i64(doc, NULL, node->base_total);
    }
    ct_doc_close(doc, ']');
}

void ct_answer_profile_flame(struct ct_exchange *x)
{
    struct ct_flame *flame;
    struct ct_doc doc;
    bool base;

    if (!take_flame(x, &base, &flame))
        return;
    doc = ct_doc_begin(&x->reply);
    ct_doc_open(&doc, NULL, '{');
    put_head(&doc, flame, base);
    ct_doc_open(&doc, "frames", '[');
    for (uint32_t i = 0; i < flame->frame_count; i++) {
        ct_doc_open(&doc, NULL, '{');
        put_frame(&doc, &flame->frames[i]);
        ct_doc_close(&doc, '}');
    }
    ct_doc_close(&doc, ']');
    ct_doc_open(&doc, "nodes", '[');
    for (uint32_t i = 0; i < flame->node_count; i++)
        put_node(&doc, &flame->nodes[i], i == 0, base);
    ct_doc_close(&doc, ']');
    ct_doc_close(&doc, '}');
    ct_flame_free(flame);
}

static void put_row(struct ct_doc *doc, const struct ct_flame *flame, const struct ct_top_row *row, bool base)
{
    ct_doc_open(doc, NULL, '{');
    put_frame(doc, &flame->frames[row->frame]);
    ct_doc_i64(doc, "self", row->flat);
    ct_doc_i64(doc, "total", row->cum);
    if (base) {
        ct_doc_i64(doc, "base_self", row->base_flat);
        ct_doc_i64(doc, "base_total", row->base_cum);
    }
    ct_doc_close(doc, '}');
}

void ct_answer_profile_top(struct ct_exchange *x)
{
    struct ct_top_row *rows;
    struct ct_flame *flame;
    struct ct_doc doc;
    bool base;

    if (!take_flame(x, &base, &flame))
        return;
    if (ct_view_good(x, ct_flame_top(flame, &rows), NULL)) {
        doc = ct_doc_begin(&x->reply);
        ct_doc_open(&doc, NULL, '{');
        put_head(&doc, flame, base);
        ct_doc_open(&doc, "rows", '[');
        for (uint32_t i = 0; i < flame->frame_count; i++)
            put_row(&doc, flame, &rows[i], base);
        ct_doc_close(&doc, ']');
        ct_doc_close(&doc, '}');
        free(rows);
    }
    ct_flame_free(flame);
}
