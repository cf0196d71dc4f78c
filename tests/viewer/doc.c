/* JSON that the viewer writes, and JSON that it keeps for its page: well-formed, whatever stands in it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "serve/reply.h"
#include "viewer/view/doc.h"
#include "viewer/view/json_check.h"

static void values(void **state)
{
    struct ct_reply r;
    struct ct_doc doc;

    ct_reply_init(&r);
    doc = ct_doc_begin(&r);
    ct_doc_open(&doc, NULL, '{');
    ct_doc_u64(&doc, "u", UINT64_MAX);
    ct_doc_i64(&doc, "i", INT64_MIN);
    ct_doc_open(&doc, "list", '[');
    ct_doc_real(&doc, NULL, 0.5);
    ct_doc_real(&doc, NULL, -2.0004);
    ct_doc_real(&doc, NULL, -0.0001);
    ct_doc_real(&doc, NULL, 123456.7894);
    ct_doc_real(&doc, NULL, (double)NAN);
    ct_doc_real(&doc, NULL, (double)INFINITY);
    ct_doc_close(&doc, ']');
    ct_doc_open(&doc, "empty", '[');
    ct_doc_close(&doc, ']');
    ct_doc_bool(&doc, "yes", true);
    ct_doc_string(&doc, "a\"b", NULL);
    ct_doc_string(&doc, "t", "x\n\x01\"\\\xff</script>");
    ct_doc_close(&doc, '}');
    ct_reply_bytes(&r, "", 1);
    assert_string_equal(r.body, "{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"list\":[0.500,-2,0,123456.789,null,null],"
                                "\"empty\":[],\"yes\":true,\"a\\\"b\":null,\"t\":\"x\\n\\u0001\\\"\\\\\\ufffd</script>\"}");
    assert_true(ct_json_is_object(r.body, r.size - 1));
    ct_reply_fini(&r);
}

/* Text is escaped in pieces; none may end within a character. */
static void pieces(void **state)
{
    static const char *const characters[] = { "x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x90", "\xff" };

    for (unsigned c = 0; c < sizeof characters / sizeof *characters; c++) {
        for (unsigned shift = 0; shift < 4; shift++) {
            char text[2000] = "abc";
            struct ct_reply r;
            struct ct_doc doc;

            text[shift] = 0;
            while (strlen(text) < 1500)
                strcat(text, characters[c]);
            ct_reply_init(&r);
            doc = ct_doc_begin(&r);
            ct_doc_string(&doc, NULL, text);
            if (c < 4) {
                assert_int_equal(r.size, strlen(text) + 2);
                assert_memory_equal(r.body + 1, text, strlen(text));
            } else {
                assert_int_equal(r.size, (strlen(text) - shift) * 6 + shift + 2);
            }
            ct_reply_fini(&r);
        }
    }
}

static bool object(const char *text)
{
    return ct_json_is_object(text, strlen(text));
}

static void checks(void **state)
{
    static const char *const good[] = { "{}", " {\"a\":[1,-0.5e+3,true,null,{}],\"b\":\"\\u00e4\xc3\xa4\"}\n", "{\"\":[[],[]]}", NULL };
    static const char *const bad[] = { "", "[]", "1", "{", "{}{}", "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":01}",
                                       "{\"a\":.5}", "{\"a\":1.}", "{\"a\":nul}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}",
                                       "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xc3",
                                       "{\"a\":[1 2]}", "{\"a\":\"", "{\"a\":[}", NULL };
    char deep[200];

    for (unsigned i = 0; good[i]; i++)
        assert_true(object(good[i]));
    for (unsigned i = 0; bad[i]; i++)
        if (object(bad[i]))
            fail_msg("%s is taken for JSON", bad[i]);
    assert_false(ct_json_is_object("{\0}", 3));
    strcpy(deep, "{\"a\":");
    memset(deep + 5, '[', 63);
    memset(deep + 68, ']', 63);
    strcpy(deep + 131, "}");
    assert_true(object(deep));
    memset(deep + 5, '[', 64);
    memset(deep + 69, ']', 64);
    strcpy(deep + 133, "}");
    assert_false(object(deep));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(pieces), cmocka_unit_test(checks) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
