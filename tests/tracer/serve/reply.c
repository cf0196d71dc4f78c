/* Replies: bodies that grow, heads byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "serve/reply.h"

static void expect_head(const struct ct_reply *r, enum ct_reply_length length, bool keep, const char *expected)
{
    char head[CT_REPLY_HEAD];
    size_t n = ct_reply_head(r, length, keep, 784111777, head);

    assert_int_equal(n, strlen(head));
    assert_string_equal(head, expected);
}

static void heads(void **state)
{
    struct ct_reply r;

    ct_reply_init(&r);
    ct_reply_text(&r, "hello");
    expect_head(&r, CT_REPLY_KNOWN, true,
                "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
                "Content-Type: text/plain; charset=utf-8\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n"
                "Connection: keep-alive\r\n\r\n");
    ct_reply_file(&r, "heap-delta");
    expect_head(&r, CT_REPLY_CHUNKED, false,
                "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
                "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"heap-delta\"\r\n"
                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    ct_reply_fault(&r, 500, "%s", "no");
    expect_head(&r, CT_REPLY_UNTIL_CLOSE, false,
                "HTTP/1.1 500 Internal Server Error\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
                "Content-Type: text/plain; charset=utf-8\r\nX-Go-Pprof: 1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "Connection: close\r\n\r\n");
    assert_int_equal(r.size, 3);
    ct_reply_redirect(&r, 301, "/a/?b=\"");
    expect_head(&r, CT_REPLY_KNOWN, true,
                "HTTP/1.1 301 Moved Permanently\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
                "Content-Type: text/html; charset=utf-8\r\nLocation: /a/?b=\"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "Content-Length: 47\r\nConnection: keep-alive\r\n\r\n");
    ct_reply_fini(&r);
    ct_reply_init(&r);
    r.cache = "private, max-age=5";
    r.encoding = "gzip";
    r.headers = "X-A: 1\r\nX-B: 2\r\n";
    strcpy(r.etag, "\"abc\"");
    expect_head(&r, CT_REPLY_KNOWN, true,
                "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nCache-Control: private, max-age=5\r\n"
                "Content-Type: text/plain; charset=utf-8\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
                "ETag: \"abc\"\r\nX-A: 1\r\nX-B: 2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n"
                "Connection: keep-alive\r\n\r\n");
    r = (struct ct_reply){ .status = 304, .type = "image/png" };
    expect_head(&r, CT_REPLY_KNOWN, true,
                "HTTP/1.1 304 Not Modified\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
                "Content-Type: image/png\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n\r\n");
    ct_reply_fini(&r);
}

static void bodies(void **state)
{
    struct ct_reply r;
    char part[4000];

    ct_reply_init(&r);
    memset(part, 'x', sizeof part);
    part[sizeof part - 1] = 0;
    for (int i = 0; i < 1000; i++)
        ct_reply_print(&r, "%s\n", part);
    assert_int_equal(r.size, 4000000);
    assert_false(r.full);
    assert_memory_equal(r.body + 3999999, "\n", 1);
    ct_reply_fault(&r, 404, "%.5s", r.body);        /* an argument may lie in the body */
    assert_int_equal(r.size, 6);
    assert_memory_equal(r.body, "xxxxx\n", 6);
    ct_reply_html(&r, "<a href=\"x\">'&'</a>");
    ct_reply_bytes(&r, "", 1);
    assert_string_equal(r.body + 6, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    ct_reply_bytes(&r, NULL, (size_t)CT_REPLY_BODY + 1);
    assert_true(r.full);
    ct_reply_fini(&r);
    ct_reply_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(heads), cmocka_unit_test(bodies) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
