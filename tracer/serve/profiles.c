/* /debug/pprof/NAME: a profile as it is now, or over some seconds.  The checks, their order and their texts are Go's. */
#include <stdio.h>
#include <string.h>

#include "serve/endpoints.h"

enum { CPU_SECONDS = 30 };

/* What the tools of Go ask for, and what that is here. */
static const char goroutine[] = "goroutine", threads[] = "threads";

static const char *resolve(const char *name)
{
    return strcmp(name, goroutine) == 0 ? threads : name;
}

bool ct_profile_find(const struct ct_exchange *x, const char *name, struct ct_profile_info *ret)
{
    const struct ct_serve_host *host = x->all->host;
    struct ct_profile_info rows[CT_SERVE_PROFILES];
    size_t count = host->profiles ? host->profiles(host->context, x->pid, rows, CT_SERVE_PROFILES) : 0;

    name = resolve(name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *ret = rows[i];
            return true;
        }
    }
    return false;
}

/* As Go reads what it does not look for errors in: 0 when it is no number, the nearest when it does not fit. */
static int64_t whole_number(const struct ct_request *r, const char *name)
{
    char value[CT_REQUEST_VALUE];
    const char *digits = value;
    int64_t v;

    if (!ct_request_parameter(r, name, value))
        return 0;
    if (ct_request_number(value, &v))
        return v;
    digits += *value == '-' || *value == '+';
    if (!*digits || digits[strspn(digits, "0123456789")])
        return 0;
    return *value == '-' ? INT64_MIN : INT64_MAX;
}

static void type_of(struct ct_exchange *x, const char *name, const char *suffix, int debug)
{
    char file[64];

    if (debug) {
        x->reply.type = "text/plain; charset=utf-8";
        return;
    }
    snprintf(file, sizeof file, "%.40s%s", name, suffix);
    ct_reply_file(&x->reply, file);
}

/* A window of `seconds`, or for HEAD what its head would be: nothing is measured for somebody who wants no answer. */
static void open_window(struct ct_exchange *x, struct ct_profile_request *r, const char *failure)
{
    const struct ct_serve_host *host = x->all->host;

    if (r->seconds > CT_SERVE_SECONDS)
        r->seconds = CT_SERVE_SECONDS;
    x->seconds = (double)r->seconds;
    if (x->request->method == CT_METHOD_HEAD)
        return;
    if (!host->window_open || host->window_open(host->context, r, &x->window, &x->reply) != 0) {
        if (!x->reply.fault)
            ct_reply_fault(&x->reply, 500, "%s", failure);
        return;
    }
    x->kind = CT_ANSWER_WINDOW;
}

static void answer_cpu(struct ct_exchange *x, struct ct_profile_request *r)
{
    r->seconds = ct_request_integer(x->request, "seconds", CPU_SECONDS);
    if (r->seconds <= 0)
        r->seconds = CPU_SECONDS;
    type_of(x, r->name, "", 0);
    open_window(x, r, "Could not enable CPU profiling: the program does not answer");
}

static void answer_delta(struct ct_exchange *x, struct ct_profile_request *r, const struct ct_profile_info *info,
                         const char *seconds)
{
    if (!ct_request_number(seconds, &r->seconds) || r->seconds <= 0)
        ct_reply_fault(&x->reply, 400, "invalid value for \"seconds\" - must be a positive integer");
    else if (!(info->flags & CT_PROFILE_DELTA))
        ct_reply_fault(&x->reply, 400, "\"seconds\" parameter is not supported for this profile type");
    else if (r->debug)
        ct_reply_fault(&x->reply, 400, "seconds and debug params are incompatible");
    else {
        type_of(x, x->rest, "-delta", 0);
        open_window(x, r, "failed to collect profile");
    }
}

static void answer_now(struct ct_exchange *x, struct ct_profile_request *r, const struct ct_profile_info *info)
{
    const struct ct_serve_host *host = x->all->host;

    r->gc = info->flags & CT_PROFILE_GC && whole_number(x->request, "gc") > 0;
    type_of(x, x->rest, "", r->debug);
    if ((!host->profile || host->profile(host->context, r, &x->reply) != 0) && !x->reply.fault)
        ct_reply_fault(&x->reply, 500, "failed to collect profile");
}

void ct_answer_profile(struct ct_exchange *x)
{
    struct ct_profile_request r = { .pid = x->pid };
    char seconds[CT_REQUEST_VALUE];
    struct ct_profile_info info;
    int64_t debug;

    if (!ct_profile_find(x, x->rest, &info)) {
        ct_reply_fault(&x->reply, 404, "Unknown profile");
        return;
    }
    debug = whole_number(x->request, "debug");
    r.name = info.name;
    r.alias = strcmp(x->rest, goroutine) == 0 ? goroutine : NULL;
    r.debug = debug > 2 ? 2 : debug < -1 ? -1 : (int)debug;
    r.symbolize = ct_request_integer(x->request, "symbolize", 1) != 0;
    r.hz = ct_request_integer(x->request, "hz", 0);
    if (info.flags & CT_PROFILE_WINDOW)
        answer_cpu(x, &r);
    else if (ct_request_parameter(x->request, "seconds", seconds) && *seconds)
        answer_delta(x, &r, &info, seconds);
    else
        answer_now(x, &r, &info);
}
