/* The endpoints: one table of paths; each answers a request into a reply, at once or after a while. */
#include "serve/endpoints.h"

#include <string.h>

enum { READ = CT_METHOD_GET | CT_METHOD_HEAD };

static bool has_symbol(const struct ct_serve_host *host)
{
    return host->symbol != NULL;
}

static bool has_trace(const struct ct_serve_host *host)
{
    return host->trace_open != NULL;
}

/* The first that fits; the tree comes last. */
const struct ct_endpoint ct_endpoints_table[] = {
    { "/metrics", READ, CT_ENDPOINT_ROOT, ct_answer_metrics, NULL, NULL },
    { "", READ, 0, ct_answer_redirect, NULL, NULL },
    { "/cmdline", READ, 0, ct_answer_cmdline, NULL, "The command line invocation of the current program" },
    { "/symbol", READ | CT_METHOD_POST, 0, ct_answer_symbol, has_symbol,
      "Maps given program counters to function names. Counters can be specified in a GET raw query or POST body, multiple "
      "counters are separated by '+'." },
    { "/trace", READ, 0, ct_answer_trace, has_trace,
      "A trace of execution of the current program. You can specify the duration in the seconds GET parameter, and what to "
      "record in only. After you get the trace file, use the ctrace command to investigate the trace." },
    { "/", READ, CT_ENDPOINT_TREE, ct_answer_profile, NULL, NULL },
};
const size_t ct_endpoints_count = sizeof ct_endpoints_table / sizeof *ct_endpoints_table;

/* What of `path` lies below `prefix`; NULL when it does not. */
static const char *below(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(path, prefix, size) == 0 && (!path[size] || path[size] == '/') ? path + size : NULL;
}

static const struct ct_endpoint *find(const struct ct_endpoints *all, const char *path, const char **ret_rest)
{
    const char *inside = below(path, all->prefix);

    for (size_t i = 0; i < ct_endpoints_count; i++) {
        const struct ct_endpoint *e = &ct_endpoints_table[i];
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

static void refuse_method(struct ct_exchange *x, const struct ct_endpoint *e)
{
    /* As Go's multiplexer does it, which answers before any handler: no X-Go-Pprof. */
    ct_reply_fault(&x->reply, 405, "Method Not Allowed");
    x->reply.fault = false;
    x->reply.allow = e->methods & CT_METHOD_POST ? "GET, HEAD, POST" : "GET, HEAD";
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
    x->pid = asked == (pid_t)asked ? x->all->host->process(x->all->host->context, (pid_t)asked) : 0;
    if (!x->pid)
        ct_reply_fault(&x->reply, 404, asked ? "No such process is served" : "The process has ended");
    return x->pid != 0;
}

bool ct_endpoints_answer(const struct ct_endpoints *all, const struct ct_request *request, struct ct_exchange *ret)
{
    const struct ct_endpoint *e;
    const char *why = "";
    int status;

    *ret = (struct ct_exchange){ .all = all, .request = request, .stream.fd = -1 };
    ct_reply_init(&ret->reply);
    status = ct_guard_check(&all->guard, request, &why);
    if (status) {
        ct_reply_fault(&ret->reply, status, "%s", why);
        return false;
    }
    e = find(all, request->path, &ret->rest);
    if (!e) {
        ct_reply_fault(&ret->reply, 404, "404 page not found");
        ret->reply.fault = false;
        return false;
    }
    if (!(e->methods & request->method)) {
        refuse_method(ret, e);
        return false;
    }
    if (request->method == CT_METHOD_POST && !request->body)
        return true;
    if (find_process(ret))
        e->answer(ret);
    if (ret->reply.full)
        ct_reply_fault(&ret->reply, 500, "the answer does not fit into memory");
    return false;
}

void ct_endpoints_refuse(struct ct_exchange *ret, int status, const char *why)
{
    *ret = (struct ct_exchange){ .stream.fd = -1 };
    ct_reply_init(&ret->reply);
    ct_reply_fault(&ret->reply, status, "%s", why);
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
