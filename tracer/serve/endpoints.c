/* The endpoints: who asks for what, in a table of paths; the guard before it, the last touches after it. */
#include "serve/endpoints.h"

#include <string.h>

/* What of `path` lies below `prefix`; NULL when it does not. */
static const char *below(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(path, prefix, size) == 0 && (!path[size] || path[size] == '/') ? path + size : NULL;
}

static const struct ct_endpoint *find(const struct ct_endpoints *all, const char *path, const char **ret_rest)
{
    const char *inside = below(path, all->prefix);

    for (size_t i = 0; i < all->table->count; i++) {
        const struct ct_endpoint *e = &all->table->rows[i];
        const char *at = e->flags & CT_ENDPOINT_ROOT ? path : inside;
        size_t size = strlen(e->path);

        if (!at || (e->there && !e->there(all->host)))
            continue;
        if (e->flags & CT_ENDPOINT_TREE ? strncmp(at, e->path, size) == 0 : strcmp(at, e->path) == 0) {
            *ret_rest = at + size;
            return e;
        }
    }
    return NULL;
}

static void refuse_method(struct ct_exchange *x, unsigned methods)
{
    /* As Go's multiplexer does it, which answers before any handler: no X-Go-Pprof. */
    ct_reply_fault(&x->reply, 405, "Method Not Allowed");
    x->reply.fault = false;
    x->reply.allow = methods & CT_METHOD_POST  ? "GET, HEAD, POST"
                     : methods & CT_METHOD_PUT ? "GET, HEAD, PUT"
                                               : "GET, HEAD";
}

/* The process that ?pid= names.  A reply is made when there is none. */
static bool find_process(struct ct_exchange *x)
{
    char value[CT_REQUEST_VALUE];
    int64_t asked = 0;

    if (ct_request_parameter(x->request, "pid", value) && (!ct_request_number(value, &asked) || asked <= 0)) {
        ct_reply_fault(&x->reply, 400, "invalid value for \"pid\" - must be a positive integer");
        return false;
    }
    if (!asked)
        asked = x->all->pid;
    x->pid = asked == (pid_t)asked ? x->all->host->process(x->all->host->context, (pid_t)asked) : 0;
    if (!x->pid)
        ct_reply_fault(&x->reply, 404, asked ? "No such process is served" : "The process has ended");
    return x->pid != 0;
}

/* False when a body is wanted. */
static bool answer(struct ct_exchange *x, const struct ct_request *request)
{
    const struct ct_endpoints *all = x->all;
    const struct ct_endpoint *e = find(all, request->path, &x->rest);
    const char *why = "";
    int status = (e && e->flags & CT_ENDPOINT_OPEN ? ct_guard_check_open : ct_guard_check)(&all->guard, request, &why);

    x->row = e;
    if (status) {
        ct_reply_fault(&x->reply, status, "%s", why);
    } else if (!e) {
        ct_reply_fault(&x->reply, 404, "404 page not found");
        x->reply.fault = false;
    } else if (!(e->methods & request->method)) {
        refuse_method(x, e->methods);
    } else if (request->method & CT_METHOD_SENDS && !request->body) {
        return false;
    } else if ((!all->check || all->check(x)) && (!all->host || find_process(x))) {
        e->answer(x);
    }
    return true;
}

bool ct_endpoints_answer(const struct ct_endpoints *all, const struct ct_request *request, struct ct_exchange *ret)
{
    *ret = (struct ct_exchange){ .all = all, .request = request, .stream.fd = -1 };
    ct_reply_init(&ret->reply);
    if (!answer(ret, request))
        return true;
    if (ret->reply.full)
        ct_reply_fault(&ret->reply, 500, "the answer does not fit into memory");
    if (all->finish && ret->kind == CT_ANSWER_NOW)
        all->finish(ret);
    return false;
}

void ct_endpoints_refuse(const struct ct_endpoints *all, struct ct_exchange *ret, int status, const char *why)
{
    *ret = (struct ct_exchange){ .all = all, .stream.fd = -1 };
    ct_reply_init(&ret->reply);
    if (status == 405)
        refuse_method(ret, 0);
    else
        ct_reply_fault(&ret->reply, status, "%s", why);
    if (all->finish)
        all->finish(ret);
}

void ct_exchange_fini(struct ct_exchange *x)
{
    if (x->kind == CT_ANSWER_WINDOW && x->window)
        x->all->host->window_close(x->all->host->context, x->window, NULL);
    if (x->kind == CT_ANSWER_STREAM && x->stream.fd >= 0)
        x->all->host->trace_close(x->all->host->context, &x->stream);
    ct_reply_fini(&x->reply);
    x->kind = CT_ANSWER_NOW;
}
