/* The endpoints over a host in memory: status, texts, file names and the order of Go's checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "memory_host.h"
#include "serve/endpoints.h"

static struct memory_host memory;
static struct ct_serve_host host;
static struct ct_exchange x;
static char body[1 << 16];

static int setup(void **state)
{
    memory_host_init(&memory, &host);
    return 0;
}

/* The status; `body` holds what was said. */
static int ask_as(enum ct_request_method method, const char *target, const char *posted)
{
    static const struct ct_endpoints all = { CT_SERVE_PREFIX, { 0 }, &host, &ct_debug_endpoints, NULL, NULL, NULL };
    struct ct_request r = { .method = method, .query = "", .host = "localhost" };
    const char *query = strchr(target, '?');
    int status;

    snprintf(r.path, sizeof r.path, "%.*s", (int)strcspn(target, "?"), target);
    if (query)
        r.query = query + 1;
    r.body_size = posted ? strlen(posted) : 0;
    if (ct_endpoints_answer(&all, &r, &x)) {
        assert_non_null(posted);
        r.body = posted;
        assert_false(ct_endpoints_answer(&all, &r, &x));
    }
    status = x.reply.status;
    snprintf(body, sizeof body, "%.*s", (int)x.reply.size, x.reply.body ? x.reply.body : "");
    return status;
}

static int ask(const char *target)
{
    int status = ask_as(CT_METHOD_GET, target, NULL);

    ct_exchange_fini(&x);
    return status;
}

static void fault(const char *target, int status, const char *text)
{
    assert_int_equal(ask_as(CT_METHOD_GET, target, NULL), status);
    assert_string_equal(body, text);
    assert_true(x.reply.fault);
    assert_string_equal(x.reply.file, "");
    ct_exchange_fini(&x);
}

static void paths(void **state)
{
    fault("/debug/pprof/nosuch", 404, "Unknown profile\n");
    fault("/debug/pprof/heap/x", 404, "Unknown profile\n");
    fault("/debug/pprof/heap?pid=1", 404, "No such process is served\n");
    fault("/debug/pprof/heap?pid=99999999999", 404, "No such process is served\n");
    fault("/debug/pprof/heap?pid=x", 400, "invalid value for \"pid\" - must be a positive integer\n");
    for (const char *const *path = (const char *const[]){ "/", "/debug", "/debug/pprofx", "/debug/pprof.", "/metrics/", "/x",
                                                          NULL };
         *path; path++) {
        assert_int_equal(ask(*path), 404);
        assert_string_equal(body, "404 page not found\n");
    }
    assert_int_equal(ask_as(CT_METHOD_GET, "/debug/pprof?pid=7&token=x", NULL), 404);
    ct_exchange_fini(&x);
    assert_int_equal(ask_as(CT_METHOD_GET, "/debug/pprof?a=1&token=x", NULL), 301);
    assert_string_equal(x.reply.location, "/debug/pprof/?a=1&token=x");
    ct_exchange_fini(&x);
}

static void methods(void **state)
{
    assert_int_equal(ask_as(CT_METHOD_POST, "/debug/pprof/heap", NULL), 405);
    assert_string_equal(body, "Method Not Allowed\n");
    assert_string_equal(x.reply.allow, "GET, HEAD");
    ct_exchange_fini(&x);
    assert_int_equal(ask_as(CT_METHOD_OTHER, "/debug/pprof/symbol", NULL), 405);
    assert_string_equal(x.reply.allow, "GET, HEAD, POST");
    ct_exchange_fini(&x);
    assert_int_equal(ask_as(CT_METHOD_POST, "/nowhere", NULL), 404);
    ct_exchange_fini(&x);
    /* HEAD measures nothing */
    assert_int_equal(ask_as(CT_METHOD_HEAD, "/debug/pprof/profile", NULL), 200);
    assert_int_equal(x.kind, CT_ANSWER_NOW);
    ct_exchange_fini(&x);
    assert_int_equal(ask_as(CT_METHOD_HEAD, "/debug/pprof/trace", NULL), 200);
    assert_string_equal(x.reply.file, "trace");
    ct_exchange_fini(&x);
    assert_int_equal(memory.opened, 0);
    assert_int_equal(memory.traces, 0);
}

static void profile_now(const char *target, const char *type, const char *file, const char *text)
{
    assert_int_equal(ask_as(CT_METHOD_GET, target, NULL), 200);
    assert_string_equal(x.reply.type, type);
    assert_string_equal(x.reply.file, file);
    assert_string_equal(body, text);
    ct_exchange_fini(&x);
}

static void profiles(void **state)
{
    static const char binary[] = "application/octet-stream", text[] = "text/plain; charset=utf-8";

    profile_now("/debug/pprof/heap", binary, "heap", "heap debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?gc=1&symbolize=0", binary, "heap", "heap debug=0 gc=1 symbolize=0\n");
    profile_now("/debug/pprof/allocs?gc=1", binary, "allocs", "allocs debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?debug=1", text, "", "heap debug=1 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?debug=x", binary, "heap", "heap debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?debug=99999999999999999999&gc=+1", text, "", "heap debug=2 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?gc=99999999999999999999", binary, "heap", "heap debug=0 gc=1 symbolize=1\n");
    profile_now("/debug/pprof/heap?debug=-", binary, "heap", "heap debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?debug=99", text, "", "heap debug=2 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/heap?seconds=", binary, "heap", "heap debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/goroutine?debug=2", text, "", "goroutine debug=2 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/goroutine", binary, "goroutine", "goroutine debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/threads", binary, "threads", "threads debug=0 gc=0 symbolize=1\n");
    profile_now("/debug/pprof/mine", binary, "mine", "mine debug=0 gc=0 symbolize=1\n");
    memory.fails = true;
    fault("/debug/pprof/heap", 500, "failed to collect profile\n");
    fault("/debug/pprof/profile", 500, "Could not enable CPU profiling: profile fails\n");
    fault("/debug/pprof/trace", 500, "Could not enable tracing: the program does not answer\n");
}

/* Each of Go's checks also with what a later one would refuse. */
static void delta_checks(void **state)
{
    static const char number[] = "invalid value for \"seconds\" - must be a positive integer\n";

    fault("/debug/pprof/heap?seconds=abc", 400, number);
    fault("/debug/pprof/heap?seconds=0", 400, number);
    fault("/debug/pprof/heap?seconds=-1", 400, number);
    fault("/debug/pprof/heap?seconds=1.5", 400, number);
    fault("/debug/pprof/mine?seconds=x&debug=1", 400, number);
    fault("/debug/pprof/mine?seconds=1&debug=1", 400, "\"seconds\" parameter is not supported for this profile type\n");
    fault("/debug/pprof/heap?seconds=1&debug=1", 400, "seconds and debug params are incompatible\n");
    fault("/debug/pprof/nosuch?seconds=x", 404, "Unknown profile\n");
}

static void window(const char *target, double seconds, const char *file, int hz)
{
    assert_int_equal(ask_as(CT_METHOD_GET, target, NULL), 200);
    assert_int_equal(x.kind, CT_ANSWER_WINDOW);
    assert_true(x.seconds == seconds);
    assert_string_equal(x.reply.file, file);
    ct_exchange_fini(&x);
    assert_int_equal(memory.last.hz, hz);
    assert_false(memory.last.gc);
}

static void windows(void **state)
{
    window("/debug/pprof/heap?seconds=3&gc=1", 3, "heap-delta", 0);
    window("/debug/pprof/goroutine?seconds=1", 1, "goroutine-delta", 0);
    window("/debug/pprof/profile", 30, "profile", 0);
    window("/debug/pprof/profile?seconds=0.5", 30, "profile", 0);
    window("/debug/pprof/profile?seconds=-1", 30, "profile", 0);
    window("/debug/pprof/profile?seconds=2&hz=250&debug=1", 2, "profile", 250);
    window("/debug/pprof/profile?seconds=99999999", CT_SERVE_SECONDS, "profile", 0);
    assert_int_equal(memory.opened, 7);
    assert_int_equal(memory.given_up, 7);
    assert_int_equal(memory.closed, 0);
}

static void traces(void **state)
{
    static const struct {
        const char *target;
        double seconds;
    } good[] = { { "/debug/pprof/trace", 1 },
                 { "/debug/pprof/trace?seconds=0.25", 0.25 },
                 { "/debug/pprof/trace?seconds=0", 1 },
                 { "/debug/pprof/trace?seconds=nan", 1 },
                 { "/debug/pprof/trace?seconds=1e9&only=lock,io", CT_SERVE_SECONDS } };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(ask_as(CT_METHOD_GET, good[i].target, NULL), 200);
        assert_int_equal(x.kind, CT_ANSWER_STREAM);
        assert_true(x.seconds == good[i].seconds);
        ct_exchange_fini(&x);
        assert_int_equal(memory.traces, memory.traces_closed);
    }
    fault("/debug/pprof/trace?only=nonsense", 400,
          "invalid value for \"only\" - must be names of categories, parted by commas\n");
}

static void symbols(void **state)
{
    static const char answer[] = "num_symbols: 1\n0x1001 function_1001\n0x1fff function_1fff\n";

    assert_int_equal(ask("/debug/pprof/symbol?0x1001+0x9999+8191"), 200);
    assert_string_equal(body, answer);
    assert_int_equal(ask("/debug/pprof/symbol?pid=0&0x1001+017777"), 400);
    assert_int_equal(ask("/debug/pprof/symbol?token=x&0x1001+017777"), 200);
    assert_string_equal(body, answer);
    assert_int_equal(ask_as(CT_METHOD_POST, "/debug/pprof/symbol", "0x1001+0b0000000000000000000000000000001111111111111+x+0x1001z+"
                            "0xffffffffffffffffff+\x14\x10\x19\x17"), 200);
    assert_string_equal(body, answer);
    ct_exchange_fini(&x);
    assert_int_equal(ask_as(CT_METHOD_POST, "/debug/pprof/symbol?0x1001", ""), 200);
    assert_string_equal(body, "num_symbols: 1\n");
    ct_exchange_fini(&x);
    host.symbols = NULL;
    fault("/debug/pprof/symbol", 404, "Unknown profile\n");
}

static void pages(void **state)
{
    assert_int_equal(ask("/debug/pprof/?token=a%26b&x=1"), 200);
    assert_non_null(strstr(body, "<title>/debug/pprof/</title>"));
    assert_non_null(strstr(body, "name=\"viewport\""));
    assert_non_null(strstr(body, "<td>7</td><td><a href=\"heap?debug=1&amp;token=a%26b\">heap</a>"));
    assert_non_null(strstr(body, "<td>0</td><td><a href=\"profile?token=a%26b\">profile</a>"));
    assert_non_null(strstr(body, "<input type=\"hidden\" name=\"token\" value=\"a&amp;b\">"));
    assert_non_null(strstr(body, "what &lt;the&gt; program &amp; &quot;I&quot; count"));
    assert_non_null(strstr(body, "full thread stack dump"));
    assert_true(strstr(body, ">allocs<") < strstr(body, ">block<"));
    assert_null(strstr(body, "mutex"));
    host.profiles = NULL;
    host.trace_open = NULL;
    assert_int_equal(ask("/debug/pprof/"), 200);
    assert_null(strstr(body, "heap"));
    assert_null(strstr(body, "trace"));
    assert_non_null(strstr(body, "cmdline"));
    fault("/debug/pprof/profile", 404, "Unknown profile\n");
    fault("/debug/pprof/trace", 404, "Unknown profile\n");
    assert_int_equal(ask_as(CT_METHOD_GET, "/debug/pprof/cmdline?seconds=1", NULL), 200);
    assert_non_null(strstr(body, "test-endpoints"));
    assert_int_not_equal(x.reply.body[x.reply.size - 1], 0);
    ct_exchange_fini(&x);
}

static double metric(const char *name)
{
    char key[80];
    const char *line;
    double v = -1;

    snprintf(key, sizeof key, "\n%s ", name);
    line = strstr(body, key);
    if (line)
        sscanf(line + strlen(key), "%lf", &v);
    return v;
}

static void metrics(void **state)
{
    assert_int_equal(ask_as(CT_METHOD_GET, "/metrics", NULL), 200);
    assert_string_equal(x.reply.type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    ct_exchange_fini(&x);
    assert_string_equal(body + strlen(body) - 6, "# EOF\n");
    assert_memory_equal(body, "# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds\n# HELP ", 77);
    assert_true(metric("process_cpu_seconds_total") >= 0);
    assert_true(metric("process_resident_memory_bytes") > 100000);
    assert_true(metric("process_virtual_memory_bytes") > metric("process_resident_memory_bytes"));
    assert_true(metric("process_virtual_memory_max_bytes") >= metric("process_virtual_memory_bytes"));
    assert_true(metric("process_heap_bytes") > 4096 && metric("process_heap_bytes") < metric("process_virtual_memory_bytes"));
    assert_true(metric("process_open_fds") >= 3);
    assert_true(metric("process_max_fds") >= 3);
    assert_true(metric("process_threads") >= 1);
    assert_true(metric("process_start_time_seconds") > (double)time(NULL) - 3600);
    assert_true(metric("process_start_time_seconds") <= (double)time(NULL) + 1);
    assert_true(metric("host_windows_total") >= 0);
}

/* ---- another table ---- */

static void say_context(struct ct_exchange *one)
{
    ct_reply_print(&one->reply, "%s %s%.*s", (const char *)one->all->context, one->rest, (int)one->request->body_size,
                   one->request->body ? one->request->body : "");
}

static void mark(struct ct_exchange *one)
{
    one->reply.headers = one->reply.fault ? "X-Fault: 1\r\n" : "X-Good: 1\r\n";
}

static struct ct_exchange *ask_other(enum ct_request_method method, const char *path, const char *authorization,
                                     const char *site)
{
    static const struct ct_endpoint rows[] = {
        { "/notes", CT_METHOD_GET | CT_METHOD_PUT, 0, say_context, NULL, NULL },
        { "/", CT_METHOD_GET, CT_ENDPOINT_OPEN | CT_ENDPOINT_TREE, say_context, NULL, NULL },
    };
    static const struct ct_endpoint_table table = { rows, 2 };
    static const struct ct_endpoints all = { "", { .token = "secret" }, NULL, &table, NULL, mark, (void *)"mine" };
    struct ct_request r = { .method = method, .query = "", .host = "localhost", .authorization = authorization,
                            .fetch_site = site };

    ct_exchange_fini(&x);
    strcpy(r.path, path);
    if (ct_endpoints_answer(&all, &r, &x)) {
        r.body = "body";
        r.body_size = 4;
        assert_false(ct_endpoints_answer(&all, &r, &x));
    }
    x.request = NULL;
    return &x;
}

/* The table decides what there is, who needs no token, and who has the last word. */
static void other_table(void **state)
{
    static const char bearer[] = "Bearer secret";

    assert_int_equal(ask_other(CT_METHOD_GET, "/notes", NULL, NULL)->reply.status, 401);
    assert_string_equal(x.reply.headers, "X-Fault: 1\r\n");
    assert_int_equal(ask_other(CT_METHOD_GET, "/notes", bearer, "cross-site")->reply.status, 403);
    assert_int_equal(ask_other(CT_METHOD_PUT, "/notes", bearer, NULL)->reply.status, 200);
    assert_memory_equal(x.reply.body, "mine body", 9);
    assert_int_equal(ask_other(CT_METHOD_POST, "/notes", bearer, NULL)->reply.status, 405);
    assert_string_equal(x.reply.allow, "GET, HEAD, PUT");
    assert_int_equal(ask_other(CT_METHOD_GET, "/page.js", NULL, "cross-site")->reply.status, 200);
    assert_memory_equal(x.reply.body, "mine page.js", 12);
    assert_string_equal(x.reply.headers, "X-Good: 1\r\n");
    assert_int_equal(ask_other(CT_METHOD_GET, "/debug/pprof/cmdline", NULL, NULL)->reply.status, 200);
    ct_exchange_fini(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(paths, setup),        cmocka_unit_test_setup(methods, setup),
        cmocka_unit_test_setup(profiles, setup),     cmocka_unit_test_setup(delta_checks, setup),
        cmocka_unit_test_setup(windows, setup),      cmocka_unit_test_setup(traces, setup),
        cmocka_unit_test_setup(symbols, setup),      cmocka_unit_test_setup(pages, setup),
        cmocka_unit_test_setup(metrics, setup),      cmocka_unit_test_setup(other_table, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
