/* /debug/pprof/trace: a trace of some seconds, sent while it is made. */
#include <stdio.h>
#include <string.h>

#include "format/schema.h"
#include "format/settings.h"
#include "serve/endpoints.h"

/* The categories that ?only= or ?without= name, as the options of `ctrace record` do.  A reply is made on failure. */
static bool take_categories(struct ct_exchange *x, uint64_t *ret)
{
    char value[CT_REQUEST_VALUE];
    struct ct_settings settings;
    static const struct {
        const char *name;
        unsigned setting;
    } parameters[] = { { "only", CT_SETTING_only }, { "without", CT_SETTING_without } };

    ct_settings_default(&settings);
    for (size_t i = 0; i < 2; i++) {
        if (!ct_request_parameter(x->request, parameters[i].name, value))
            continue;
        if (ct_settings_take(&settings, parameters[i].setting, value) < 0) {
            ct_reply_fault(&x->reply, 400, "invalid value for \"%s\" - must be names of categories, parted by commas",
                           parameters[i].name);
            return false;
        }
    }
    *ret = settings.categories;
    return true;
}

void ct_answer_trace(struct ct_exchange *x)
{
    const struct ct_serve_host *host = x->all->host;
    struct ct_trace_request r = { .pid = x->pid, .seconds = ct_request_real(x->request, "seconds", 1) };

    if (!(r.seconds > 0))
        r.seconds = 1;
    if (r.seconds > CT_SERVE_SECONDS)
        r.seconds = CT_SERVE_SECONDS;
    if (!take_categories(x, &r.categories))
        return;
    ct_reply_file(&x->reply, "trace");
    x->seconds = r.seconds;
    if (x->request->method == CT_METHOD_HEAD)
        return;
    if (host->trace_open(host->context, &r, &x->stream, &x->reply) != 0) {
        if (!x->reply.fault)
            ct_reply_fault(&x->reply, 500, "Could not enable tracing: the program does not answer");
        return;
    }
    x->kind = CT_ANSWER_STREAM;
}
