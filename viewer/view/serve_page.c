/*
 * The page itself.  Who names the token gets it with all that it begins with in it, as data that no browser runs: what the page would
 * ask for first needs no way of its own then.  Anybody else gets the file as it is, which asks for it.
 */
#include <string.h>

#include "viewer/view/assets.h"
#include "viewer/view/view.h"

enum { MOST = 1 << 20 };                /* bytes of data: more is better parsed as it comes, and packed on its way */

static const char asks[] = "<script src=\"./early.js\"></script>";
static const char before[] = "</body>";

static bool names_token(const struct ct_exchange *x)
{
    const char *token = x->all->guard.token;
    char given[CT_REQUEST_VALUE];

    return !token || (ct_request_parameter(x->request, "token", given) && ct_guard_same(token, given));
}

/* While it is indexed the page has to ask again anyway, and shall not wait for a turn to ask. */
static bool is_whole(const struct ct_view *view)
{
    struct ct_index_progress progress = { .state = CT_INDEX_READY };

    if (view->index)
        ct_index_progress(view->index, &progress);
    return progress.state == CT_INDEX_READY;
}

/* Appends JSON as it may stand in HTML: there "<" could end a script, and in JSON it stands in strings only. */
static void put_json(struct ct_reply *to, const char *json, size_t size)
{
    for (const char *end = json + size; json < end;) {
        const char *at = memchr(json, '<', (size_t)(end - json));

        ct_reply_bytes(to, json, (size_t)((at ? at : end) - json));
        if (!at)
            return;
        ct_reply_text(to, "\\u003c");
        json = at + 1;
    }
}

/* Appends what the endpoint answers.  False: a fault, or too much. */
static bool put_answer(struct ct_reply *to, const struct ct_exchange *x, void (*answer)(struct ct_exchange *))
{
    struct ct_exchange inner = *x;
    bool good;

    ct_reply_init(&inner.reply);
    answer(&inner);
    good = inner.reply.status == 200 && !inner.reply.full && inner.reply.size <= MOST;
    if (good)
        put_json(to, inner.reply.body, inner.reply.size);
    ct_reply_fini(&inner.reply);
    return good;
}

/* Appends `html` without the script that asks, and with the data.  False: it is as it was. */
static bool put_page(struct ct_reply *r, const struct ct_exchange *x, const char *html)
{
    const char *script = strstr(html, asks), *end = script ? strstr(script, before) : NULL;
    bool good;

    if (!end)
        return false;
    ct_reply_bytes(r, html, (size_t)(script - html));
    script += sizeof asks - 1;
    ct_reply_bytes(r, script, (size_t)(end - script));
    ct_reply_text(r, "<script type=\"application/json\" id=\"start\">{\"start\":");
    good = put_answer(r, x, ct_answer_start);
    ct_reply_text(r, ",\"settings\":");
    good = good && put_answer(r, x, ct_answer_settings);
    ct_reply_text(r, "}</script>\n  ");
    ct_reply_text(r, end);
    return good && !r->full;
}

bool ct_view_put_page(struct ct_exchange *x, const struct ct_asset *page)
{
    struct ct_reply plain, whole;
    bool good;

    if (!names_token(x) || !is_whole(ct_view_of(x)))
        return false;
    ct_reply_init(&plain);
    ct_reply_init(&whole);
    ct_assets_unpack(&plain, page);
    ct_reply_bytes(&plain, "", 1);
    good = plain.status == 200 && !plain.full && put_page(&whole, x, plain.body);
    ct_reply_fini(&plain);
    if (!good) {
        ct_reply_fini(&whole);
        return false;
    }
    whole.type = page->type;
    ct_reply_fini(&x->reply);
    x->reply = whole;
    return true;
}
