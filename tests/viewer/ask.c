/* What the viewer's API is asked: parameters, strictly read, and a sentence for each that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve/endpoints.h"
#include "viewer/view/ask.h"

static struct ct_request request;
static struct ct_endpoint row = { .parameters = "l i rows q from to kind" };
static struct ct_exchange x;
static char said[600];

static struct ct_exchange *ask(const char *query)
{
    ct_exchange_fini(&x);
    request = (struct ct_request){ .query = query };
    x = (struct ct_exchange){ .request = &request, .row = &row, .stream.fd = -1 };
    ct_reply_init(&x.reply);
    return &x;
}

/* What the reply says, without the line's end. */
static const char *answer(void)
{
    snprintf(said, sizeof said, "%d %.*s", x.reply.status, (int)strcspn(x.reply.body ? x.reply.body : "", "\n"),
             x.reply.body ? x.reply.body : "");
    return said;
}

static void names(void **state)
{
    assert_true(ct_ask_check(ask("")));
    assert_true(ct_ask_check(ask("l=1&i=2&token=x")));
    assert_false(ct_ask_check(ask("l=1&level=2")));
    assert_string_equal(answer(), "400 There is no parameter \"level\" here.");
    assert_false(ct_ask_check(ask("l=1&i=3&l=2")));
    assert_string_equal(answer(), "400 The parameter \"l\" came twice.");
    assert_false(ct_ask_check(ask("row=1")));
    row.parameters = "";
    assert_false(ct_ask_check(ask("l")));
    row.parameters = NULL;
    assert_true(ct_ask_check(ask("anything=goes")));
    row.parameters = "l i rows q from to kind";
}

static void numbers(void **state)
{
    int64_t v = 7;

    assert_true(ct_ask_number(ask("l=12"), "l", 0, 52, -1, &v));
    assert_int_equal(v, 12);
    assert_true(ct_ask_number(ask("i=1"), "l", 0, 52, 5, &v));
    assert_int_equal(v, 5);
    assert_false(ct_ask_number(ask("i=1"), "l", 0, 52, -1, &v));
    assert_string_equal(answer(), "400 The parameter \"l\" is missing.");
    assert_false(ct_ask_number(ask("l=53"), "l", 0, 52, -1, &v));
    assert_string_equal(answer(), "400 The parameter \"l\" must be from 0 to 52.");
    for (const char *const *bad = (const char *const[]){ "l=", "l=1x", "l=0x10", "l=1.5", "l=99999999999999999999", "l=%zz", NULL };
         *bad; bad++)
        assert_false(ct_ask_number(ask(*bad), "l", 0, INT64_MAX, -1, &v));
    assert_int_equal(v, 5);
}

static void spans(void **state)
{
    int64_t from, to;

    assert_true(ct_ask_span(ask(""), 1000, &from, &to));
    assert_true(from == 0 && to == 1000);
    assert_true(ct_ask_span(ask("from=-5&to=20"), 1000, &from, &to));
    assert_true(from == 0 && to == 20);
    assert_false(ct_ask_span(ask("from=20&to=20"), 1000, &from, &to));
    assert_false(ct_ask_span(ask("from=2000"), 1000, &from, &to));
    assert_true(ct_ask_span(ask(""), 0, &from, &to));
}

static void words(void **state)
{
    static const char *const kinds[] = { "cpu", "alloc", NULL };
    unsigned v = 9;

    assert_true(ct_ask_word(ask("kind=alloc"), "kind", kinds, &v));
    assert_int_equal(v, 1);
    assert_true(ct_ask_word(ask(""), "kind", kinds, &v));
    assert_int_equal(v, 0);
    assert_false(ct_ask_word(ask("kind=al"), "kind", kinds, &v));
    assert_string_equal(answer(), "400 The parameter \"kind\" must be one of: cpu, alloc.");
}

static size_t list(const char *query, uint32_t *ids)
{
    size_t count;

    return ct_ask_list(ask(query), "rows", ids, 8, &count) ? count : SIZE_MAX;
}

static void lists(void **state)
{
    uint32_t ids[8];

    assert_int_equal(list("rows=1-3,9", ids), 4);
    assert_true(ids[0] == 1 && ids[1] == 2 && ids[2] == 3 && ids[3] == 9);
    assert_int_equal(list("rows=4%2C2", ids), 2);
    assert_true(ids[0] == 4 && ids[1] == 2);
    assert_int_equal(list("rows=0-7", ids), 8);
    assert_int_equal(list("rows=", ids), 0);
    assert_int_equal(list("q=1", ids), 0);
    assert_int_equal(list("rows=4294967294", ids), 1);
    assert_true(list("rows=0-8", ids) == SIZE_MAX);
    assert_string_equal(answer(), "400 The list \"rows\" names more than 8.");
    assert_true(list("rows=0-4294967294", ids) == SIZE_MAX);
    for (const char *const *bad = (const char *const[]){ "rows=a", "rows=1-", "rows=-1", "rows=3-1", "rows=1;2", "rows=1,,2",
                                                         "rows=4294967295", "rows=1%202", NULL };
         *bad; bad++) {
        assert_true(list(*bad, ids) == SIZE_MAX);
        assert_string_equal(answer(), "400 The list \"rows\" is malformed: 1-4,9 is one.");
    }
}

static void texts(void **state)
{
    char text[CT_ASK_TEXT], query[CT_ASK_TEXT + 10] = "q=";
    bool there;

    assert_true(ct_ask_text(ask("q=a+b%26c"), "q", text, &there));
    assert_string_equal(text, "a b&c");
    assert_true(there);
    assert_true(ct_ask_text(ask("l=1"), "q", text, &there));
    assert_false(there);
    memset(query + 2, 'x', CT_ASK_TEXT);
    assert_false(ct_ask_text(ask(query), "q", text, &there));
    assert_string_equal(answer(), "400 The parameter \"q\" is too long.");
    assert_false(ct_ask_text(ask("q=%0"), "q", text, &there));
    assert_string_equal(answer(), "400 The parameter \"q\" is malformed.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names), cmocka_unit_test(numbers), cmocka_unit_test(spans),
        cmocka_unit_test(words), cmocka_unit_test(lists),   cmocka_unit_test(texts),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    ct_exchange_fini(&x);
    return failed;
}
