/* /api/notes and /api/settings: what the page keeps, as one JSON object each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "viewer/view/json_check.h"
#include "viewer/view/keep.h"
#include "viewer/view/view.h"

static void get(struct ct_exchange *x, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    int r = path ? ct_keep_read(path, CT_REQUEST_BODY, &text, &size) : -ENOENT;

    x->reply.type = "application/json";
    if (r == 0 && ct_json_is_object(text, size))
        ct_reply_bytes(&x->reply, text, size);
    else if (r == -ENOENT)
        ct_reply_text(&x->reply, "{}");
    else if (r == 0)
        ct_reply_fault(&x->reply, 503, "%s is damaged: it is no JSON object.", path);
    else
        ct_reply_fault(&x->reply, 503, "%s cannot be read: %s.", path, strerror(-r));
    free(text);
}

static void put(struct ct_exchange *x, const char *path, mode_t mode)
{
    const struct ct_request *request = x->request;
    struct ct_view *view = ct_view_of(x);
    struct ct_error err = { 0 };
    int r;

    /* The guard has refused foreign origins; only our own page may change anything, and pages say where they are from. */
    if (request->fetch_site && strcasecmp(request->fetch_site, "same-origin") != 0) {
        ct_reply_fault(&x->reply, 403, "A page of another site may not ask.");
        return;
    }
    if (!ct_json_is_object(request->body, request->body_size)) {
        ct_reply_fault(&x->reply, 400, "The body must be one JSON object.");
        return;
    }
    if (!path) {
        ct_reply_fault(&x->reply, 503, "There is no place where it could be kept.");
        return;
    }
    pthread_mutex_lock(&view->saving);
    r = ct_keep_write(path, request->body, request->body_size, mode, &err);
    pthread_mutex_unlock(&view->saving);
    if (r < 0) {
        ct_reply_fault(&x->reply, 503, "%s.", err.text);
        return;
    }
    x->reply.type = "application/json";
    ct_reply_text(&x->reply, "{\"kept\":true}");
}

static void answer(struct ct_exchange *x, const char *path, mode_t mode)
{
    if (x->request->method == CT_METHOD_PUT)
        put(x, path, mode);
    else
        get(x, path);
}

void ct_answer_notes(struct ct_exchange *x)
{
    answer(x, ct_view_of(x)->notes, 0644);
}

void ct_answer_settings(struct ct_exchange *x)
{
    answer(x, ct_view_of(x)->settings, 0600);
}
