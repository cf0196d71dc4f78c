/* JSON by hand: numbers of every length, text that is not fit to stand between quotes. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "converter/json.h"

static void assert_number(uint64_t v)
{
    static struct ct_json_near near = CT_JSON_NEAR_NONE;  /* of the number before, which lies anywhere */
    char got[64], wanted[64];

    *ct_json_u64(got, v) = 0;
    snprintf(wanted, sizeof wanted, "%" PRIu64, v);
    assert_string_equal(got, wanted);
    *ct_json_i64(got, (int64_t)v) = 0;
    snprintf(wanted, sizeof wanted, "%" PRId64, (int64_t)v);
    assert_string_equal(got, wanted);
    *ct_json_hex(got, v) = 0;
    snprintf(wanted, sizeof wanted, "0x%" PRIx64, v);
    assert_string_equal(got, wanted);
    *ct_json_us(got, (int64_t)(v >> 1)) = 0;
    snprintf(wanted, sizeof wanted, "%" PRIu64 ".%03" PRIu64, (v >> 1) / 1000, (v >> 1) % 1000);
    assert_string_equal(got, wanted);
    *ct_json_us_near(got, (int64_t)(v >> 1), &near) = 0;
    assert_string_equal(got, wanted);
}

static void numbers(void **state)
{
    uint64_t power = 1;

    for (int i = 0; i < 20; i++, power *= 10)
        for (uint64_t d = 0; d < 3; d++)
            assert_number(power + d - 1);
    for (int i = 0; i < 300000; i++)
        assert_number((((uint64_t)rand() << 33) ^ ((uint64_t)rand() << 11) ^ (uint64_t)rand()) >> (rand() % 64));
    assert_number(UINT64_MAX);
    assert_number((uint64_t)INT64_MIN);
}

static void negative_times(void **state)
{
    struct ct_json_near near = CT_JSON_NEAR_NONE;
    char got[64];

    *ct_json_us(got, -1234567) = 0;
    assert_string_equal(got, "-1234.567");
    *ct_json_us(got, -7) = 0;
    assert_string_equal(got, "-0.007");
    *ct_json_us_near(got, -7, &near) = 0;
    assert_string_equal(got, "-0.007");
}

/* What times share is kept from one to the next, and must go when they share it no more. */
static void near_times(void **state)
{
    struct ct_json_near near = CT_JSON_NEAR_NONE;
    char got[64], wanted[64];

    for (int64_t base = 1; base < INT64_MAX / 10; base *= 10)
        for (int64_t ns = base * 9 - 3000; ns < base * 9 + 3000; ns += 997) {
            *ct_json_us_near(got, ns, &near) = 0;
            *ct_json_us(wanted, ns) = 0;
            assert_string_equal(got, wanted);
        }
}

static void assert_text(const char *text, size_t size, const char *wanted)
{
    char got[1024];

    *ct_json_text(got, text, size) = 0;
    assert_string_equal(got, wanted);
}

/* Each at every place of a long clean text: eight bytes at a time must not step over any. */
static void texts(void **state)
{
    static const struct { const char *text, *wanted; } odd[] = {
        { "\"", "\\\"" }, { "\\", "\\\\" }, { "\n", "\\n" }, { "\t", "\\t" }, { "\x01", "\\u0001" },
        { "\x1f", "\\u001f" }, { "\x7f", "\\u007f" }, { "\xc3\xa9", "\xc3\xa9" }, { "\xe2\x82\xac", "\xe2\x82\xac" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "\xff", "\\ufffd" }, { "\xc3", "\\ufffd" }, { "\xc0\x80", "\\ufffd\\ufffd" },
        { "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" }, { "\xf5\x80", "\\ufffd\\ufffd" },
    };

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (size_t before = 0; before < 20; before++)
            for (size_t after = 0; after < 20; after++) {
                char text[128], wanted[256];

                snprintf(text, sizeof text, "%.*s%s%.*s", (int)before, "abcdefghijklmnopqrstuvwxyz", odd[i].text,
                         (int)after, " 0123456789[]{}:,;!#$%");
                snprintf(wanted, sizeof wanted, "%.*s%s%.*s", (int)before, "abcdefghijklmnopqrstuvwxyz",
                         odd[i].wanted, (int)after, " 0123456789[]{}:,;!#$%");
                assert_text(text, strlen(text), wanted);
            }
    assert_text("a\0b", 3, "a\\u0000b");
    assert_text("", 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(negative_times), cmocka_unit_test(near_times),
        cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
