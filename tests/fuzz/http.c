/* Any request: lines of method, target, version and headers, then a body.  It is answered, and the answer is well-formed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/endpoints.h"
#include "tracer/serve/memory_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = 16 };

/* The next line, ended with a NUL of its own; "" at the end. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');

    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = 0;
    return line;
}

static void check_reply(const struct ct_exchange *x)
{
    char head[CT_REPLY_HEAD];
    size_t n = ct_reply_head(&x->reply, CT_REPLY_KNOWN, true, 0, head);

    if (n >= sizeof head || memcmp(head + n - 4, "\r\n\r\n", 4) != 0 || strstr(head, "\r\n\r\n") != head + n - 4)
        abort();
    if (x->reply.status < 200 || x->reply.status > 599)
        abort();
}

/* A trace that is not made: its thread would cost more than all else.  What it was asked for lies within the limits. */
static int open_trace(void *context, const struct ct_trace_request *r, struct ct_stream *ret, struct ct_reply *reply)
{
    if (!(r->seconds > 0 && r->seconds <= CT_SERVE_SECONDS) || !r->pid)
        abort();
    *ret = (struct ct_stream){ .fd = -1 };
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memory_host memory;
    static struct ct_serve_host host;
    static const char *const names[] = { "service.example" };
    struct ct_endpoints all = { CT_SERVE_PREFIX, { size % 2 ? "secret" : NULL, names, 1 }, &host, &ct_debug_endpoints, NULL, NULL, NULL };
    struct ct_request_header headers[HEADERS];
    struct ct_request_raw raw = { .headers = headers };
    char *text = malloc(size + 1), *at = text, *query;
    struct ct_request request;
    struct ct_exchange x;
    const char *why = NULL;

    memory_host_init(&memory, &host);
    host.trace_open = open_trace;
    memcpy(text, data, size);
    text[size] = 0;
    raw.method = next_line(&at);
    raw.target = next_line(&at);
    raw.version = next_line(&at);
    query = strchr(raw.target, '?');
    if (query)
        *query++ = 0;
    raw.query = query;
    while (*at && *at != '\n' && raw.header_count < HEADERS) {
        char *line = next_line(&at), *colon = strchr(line, ':');

        if (!colon)
            continue;
        *colon = 0;
        headers[raw.header_count++] = (struct ct_request_header){ line, colon + 1 + strspn(colon + 1, " ") };
    }
    if (ct_request_parse(&raw, &request, &why) == 0) {
        if (ct_endpoints_answer(&all, &request, &x)) {
            request.body = at;
            request.body_size = strlen(at) < request.body_size ? strlen(at) : request.body_size;
            ct_endpoints_answer(&all, &request, &x);
        }
    } else {
        ct_endpoints_refuse(&all, &x, 400, why);
    }
    check_reply(&x);
    if (x.kind == CT_ANSWER_WINDOW && (!x.window || !(x.seconds > 0 && x.seconds <= CT_SERVE_SECONDS)))
        abort();
    ct_exchange_fini(&x);
    free(text);
    return 0;
}
