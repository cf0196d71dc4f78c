/* Requests: taken apart from texts that end where memory ends; what is malformed is refused with a status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "guard.h"
#include "serve/request.h"

static struct ct_request request;
static char authority[64];

static struct guard kept[64];
static unsigned kept_count;

static const char *keep(const char *text)
{
    struct guard *g = &kept[kept_count++];

    *g = guard_over(text, strlen(text) + 1);
    return (const char *)g->at;
}

/* `headers` are names and values in turn; every text stands before a page that cannot be read. */
static int parse(const char *method, const char *target, const char *query, const char *version, const char *const *headers)
{
    struct ct_request_header list[16];
    struct ct_request_raw raw = { .headers = list };
    const char *why = NULL;
    int status;

    raw.method = keep(method);
    raw.target = keep(target);
    raw.query = query ? keep(query) : NULL;
    raw.version = keep(version);
    for (; headers && headers[raw.header_count * 2]; raw.header_count++) {
        list[raw.header_count].name = keep(headers[raw.header_count * 2]);
        list[raw.header_count].value = keep(headers[raw.header_count * 2 + 1]);
    }
    status = ct_request_parse(&raw, &request, &why);
    assert_true(status == 0 || (why && *why));
    snprintf(authority, sizeof authority, "%s", request.authority ? request.authority : "");
    while (kept_count)
        guard_end(&kept[--kept_count]);
    return status;
}

#define HOST (const char *const[]){ "Host", "localhost", NULL }
#define WITH(...) (const char *const[]){ "Host", "localhost", __VA_ARGS__, NULL }

static int target(const char *text)
{
    return parse("GET", text, NULL, "1.1", HOST);
}

static void targets(void **state)
{
    char longest[600];

    assert_int_equal(target("/debug/pprof/heap"), 0);
    assert_string_equal(request.path, "/debug/pprof/heap");
    assert_string_equal(authority, "");
    assert_int_equal(target("/he%61p%20"), 0);
    assert_string_equal(request.path, "/heap ");
    assert_int_equal(target("/a+b"), 0);
    assert_string_equal(request.path, "/a+b");
    assert_int_equal(target("http://evil.com:1/x"), 0);
    assert_string_equal(request.path, "/x");
    assert_string_equal(authority, "evil.com:1/x");
    assert_int_equal(target("HTTP://h"), 0);
    assert_string_equal(request.path, "/");
    for (const char *const *bad = (const char *const[]){ "", "*", "heap", "/%", "/%4", "/%zz", "/%00", "//x", "/a//b", "/.",
                                                         "/..", "/a/../b", "/a/./b", "/%2e%2e/x", "/a/%2e", "https://h/",
                                                         "ftp://h/", "localhost:80", NULL };
         *bad; bad++)
        assert_int_equal(target(*bad), 400);
    assert_int_equal(target("/..a/.b/c."), 0);
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = 0;
    assert_int_equal(target(longest), 414);
    longest[CT_REQUEST_PATH] = 0;
    assert_int_equal(target(longest), 414);
    longest[CT_REQUEST_PATH - 1] = 0;
    assert_int_equal(target(longest), 0);
}

static void headers(void **state)
{
    assert_int_equal(parse("GET", "/", NULL, "1.1", NULL), 400);
    assert_int_equal(parse("GET", "/", NULL, "1.0", NULL), 0);
    assert_true(request.old);
    assert_int_equal(parse("GET", "/", NULL, "2.0", HOST), 505);
    assert_int_equal(parse("GET", "/", NULL, "", HOST), 505);
    assert_int_equal(parse("GET", "/", NULL, "1.1", WITH("host", "other")), 400);
    assert_int_equal(parse("GET", "/", NULL, "1.1", WITH("Origin", "a", "ORIGIN", "b")), 400);
    assert_int_equal(parse("GET", "/", NULL, "1.1", WITH("Authorization", "a", "authorization", "b")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Transfer-Encoding", "chunked")), 411);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "1", "Content-Length", "1")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "1048577")), 413);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "99999999999999999999")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "+1")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "-1")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "1x")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "")), 400);
    assert_int_equal(parse("POST", "/", NULL, "1.1", WITH("Content-Length", "1048576")), 0);
    assert_int_equal(request.body_size, 1048576);
    assert_int_equal(request.method, CT_METHOD_POST);
    parse("get", "/", NULL, "1.1", HOST);
    assert_int_equal(request.method, CT_METHOD_OTHER);
}

static bool keeps(const char *method, const char *version, const char *name, const char *value)
{
    assert_int_equal(parse(method, "/", NULL, version, (const char *const[]){ "Host", "h", name, value, NULL }), 0);
    return request.keep_alive;
}

static void keep_alive(void **state)
{
    assert_true(keeps("GET", "1.1", "X", "y"));
    assert_false(keeps("GET", "1.0", "X", "y"));
    assert_true(keeps("GET", "1.0", "Connection", "keep-alive"));
    assert_false(keeps("GET", "1.1", "Connection", "close"));
    assert_true(keeps("GET", "1.1", "Connection", "TE, Keep-Alive"));
    assert_false(keeps("GET", "1.1", "Connection", "not-keep-alive"));
    assert_false(keeps("GET", "1.1", "Content-Length", "5"));
    assert_true(keeps("POST", "1.1", "Content-Length", "5"));
}

static const char *parameter(const char *query, const char *name)
{
    static char value[CT_REQUEST_VALUE];
    struct ct_request r = { .query = query };
    struct guard g = guard_over(query, strlen(query) + 1);
    bool found;

    r.query = (const char *)g.at;
    found = ct_request_parameter(&r, name, value);
    guard_end(&g);
    return found ? value : NULL;
}

static void parameters(void **state)
{
    char query[CT_REQUEST_VALUE + 8];

    assert_string_equal(parameter("seconds=5&debug=1", "debug"), "1");
    assert_string_equal(parameter("debug=1&debug=2", "debug"), "1");
    assert_string_equal(parameter("debug", "debug"), "");
    assert_string_equal(parameter("debug=", "debug"), "");
    assert_string_equal(parameter("&&a=b=c&&", "a"), "b=c");
    assert_string_equal(parameter("a=x+y%2b%3d%26", "a"), "x y+=&");
    assert_string_equal(parameter("%61=1", "a"), "1");
    assert_null(parameter("", "a"));
    assert_null(parameter("ab=1", "a"));
    assert_null(parameter("a=%", "a"));
    assert_null(parameter("a=%00", "a"));
    assert_null(parameter("a=1;b=2", "a"));
    assert_string_equal(parameter("a=%zz&a=2", "a"), "2");
    memset(query, 'x', sizeof query);
    memcpy(query, "a=", 2);
    query[2 + CT_REQUEST_VALUE] = 0;
    assert_null(parameter(query, "a"));
    query[2 + CT_REQUEST_VALUE - 1] = 0;
    assert_int_equal(strlen(parameter(query, "a")), CT_REQUEST_VALUE - 1);
}

static int64_t integer(const char *query)
{
    return ct_request_integer(&(struct ct_request){ .query = query }, "n", -77);
}

static bool is_real(const char *query, double expected)
{
    double v = ct_request_real(&(struct ct_request){ .query = query }, "n", -77);

    return v > expected - 1e-9 && v < expected + 1e-9;
}

static void numbers(void **state)
{
    assert_int_equal(integer("n=12"), 12);
    assert_int_equal(integer("n=-3"), -3);
    assert_int_equal(integer("n=%2B3"), 3);
    assert_int_equal(integer("n=9223372036854775807"), INT64_MAX);
    assert_int_equal(integer("n=-9223372036854775808"), INT64_MIN);
    for (const char *const *bad = (const char *const[]){ "n=9223372036854775808", "n=", "n=1.5", "n=+1", "n=0x1", "n=1e3",
                                                         "n= 1", "n=--1", "n=-", "", NULL };
         *bad; bad++)
        assert_int_equal(integer(*bad), -77);
    assert_true(is_real("n=0.25", 0.25));
    assert_true(is_real("n=.5", 0.5));
    assert_true(is_real("n=5.", 5));
    assert_true(is_real("n=1e3", 1000));
    assert_true(is_real("n=25E-1", 2.5));
    assert_true(is_real("n=-1", -1));
    for (const char *const *bad = (const char *const[]){ "n=", "n=.", "n=nan", "n=inf", "n=1e999", "n=1e", "n=e3", "n=1,5",
                                                         "n=0x1p3", "n=1.5.5", "n=1 ", NULL };
         *bad; bad++)
        assert_true(is_real(*bad, -77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),    cmocka_unit_test(headers), cmocka_unit_test(keep_alive),
        cmocka_unit_test(parameters), cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
