/* /api/notes and /api/settings: what the page keeps, as one JSON object each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "viewer/view/json_check.h"
#include "viewer/view/keep.h"
#include "viewer/view/view.h"

/* Reads what is kept; nothing at all is an empty object.  False: the reply says what is wrong.  Caller frees `*ret`. */
static bool read_kept(struct ct_exchange *x, const char *path, char **ret, size_t *ret_size)
{
    int r = path ? ct_keep_read(path, CT_REQUEST_BODY, ret, ret_size) : -ENOENT;

    if (r == 0 && *ret_size > 0 && !ct_json_is_object(*ret, *ret_size)) {
        ct_reply_fault(&x->reply, 503, "%s is damaged: it is no JSON object.", path);
        return false;
    }
    if (r < 0 && r != -ENOENT) {
        ct_reply_fault(&x->reply, 503, "%s cannot be read: %s.", path, strerror(-r));
        return false;
    }
    return true;
}

static void get(struct ct_exchange *x, const char *path)
{
    char *text = NULL;
    size_t size = 0;

    x->reply.type = "application/json";
    if (!read_kept(x, path, &text, &size))
        return free(text);
    if (size > 0)
        ct_reply_bytes(&x->reply, text, size);
    else
        ct_reply_text(&x->reply, "{}");
    free(text);
}

/* What a person wrote stays where it is, though it cannot be read: often but a comma is missing. */
static bool may_replace(struct ct_exchange *x, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    bool good = path != ct_view_of(x)->notes || read_kept(x, path, &text, &size);

    free(text);
    return good;
}

static void put(struct ct_exchange *x, const char *path, mode_t mode)
{
    const struct ct_request *request = x->request;
    struct ct_view *view = ct_view_of(x);
    struct ct_error err = { 0 };
    bool may;
    int r = 0;

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
    may = may_replace(x, path);
    if (may)
        r = ct_keep_write(path, request->body, request->body_size, mode, &err);
    pthread_mutex_unlock(&view->saving);
    if (!may)
        return;
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
