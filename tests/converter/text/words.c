/* Words of the text form: what is written is read back, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "converter/text/words.h"

static struct ct_text word(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

static void lines_fall_into_words(void **state)
{
    struct ct_text line = word("  one two=\"a b\\\" c\"  three # a comment"), name, value;

    assert_true(ct_words_are(ct_words_next(&line), "one"));
    assert_true(ct_words_pair(ct_words_next(&line), &name, &value));
    assert_true(ct_words_are(name, "two"));
    assert_true(ct_words_are(value, "\"a b\\\" c\""));
    assert_true(ct_words_are(ct_words_next(&line), "three"));
    assert_int_equal(ct_words_next(&line).size, 0);
    assert_int_equal(ct_words_next(&line).size, 0);
}

static void numbers(void **state)
{
    static const char *const bad[] = { "", "0x", "12a", "18446744073709551616", "0x10000000000000000", "-1", " 1", "1 " };
    uint64_t v;
    int64_t s;

    assert_true(ct_words_get_number(word("18446744073709551615"), &v) && v == UINT64_MAX);
    assert_true(ct_words_get_number(word("0xffffffffffffffff"), &v) && v == UINT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ct_words_get_number(word(bad[i]), &v));
    assert_true(ct_words_get_signed(word("-9223372036854775808"), &s) && s == INT64_MIN);
    assert_true(ct_words_get_signed(word("9223372036854775807"), &s) && s == INT64_MAX);
    assert_false(ct_words_get_signed(word("9223372036854775808"), &s));
    assert_false(ct_words_get_signed(word("-"), &s));
}

static void times(void **state)
{
    static const struct { const char *text; int64_t ns; } good[] = {
        { "0.000000001", 1 }, { "-0.000000001", -1 }, { "1.5", 1500000000 }, { "3", 3000000000 }, { "-2.25", -2250000000 },
    };
    static const char *const bad[] = { "", ".", "1.", ".5", "1.0000000001", "1.5s", "99999999999999", "--1" };
    int64_t ns;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(ct_words_get_time(word(good[i].text), &ns) && ns == good[i].ns);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ct_words_get_time(word(bad[i]), &ns));
}

static void quoted_texts(void **state)
{
    static const char *const bad[] = { "", "\"", "abc", "\"abc", "\"a\"b\"", "\"\\\"", "\"\\x1\"", "\"\\xzz\"" };
    char to[32];
    size_t size;

    assert_true(ct_words_get_quoted(word("\"a\\\\\\\"\\n\\t\\x00\\xff\""), to, sizeof to, &size));
    assert_int_equal(size, 7);
    assert_memory_equal(to, "a\\\"\n\t\0\xff", 7);
    assert_false(ct_words_get_quoted(word("\"abc\""), to, 2, &size));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ct_words_get_quoted(word(bad[i]), to, sizeof to, &size));
}

static void sets_of_words(void **state)
{
    assert_string_equal(ct_words_of(CT_WORDS_CLOCKS, CT_CLOCK_TSC), "tsc");
    assert_null(ct_words_of(CT_WORDS_CLOCKS, 0));
    assert_null(ct_words_of(CT_WORDS_ENDS, UINT64_MAX));
    assert_int_equal(ct_words_number_of(CT_WORDS_ENDS, word("recovered")), CT_END_RECOVERED);
    assert_int_equal(ct_words_number_of(CT_WORDS_STATES, word("nothing")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_fall_into_words), cmocka_unit_test(numbers),       cmocka_unit_test(times),
        cmocka_unit_test(quoted_texts),          cmocka_unit_test(sets_of_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
