/* Times as a person types them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "viewer/time_argument.h"

#define SECOND INT64_C(1000000000)

/* 2023-11-14 22:13:20.5 UTC. */
static const int64_t start = 1700000000 * SECOND + SECOND / 2;

static void assert_time(const char *text, int64_t wanted)
{
    int64_t ns = -1;

    if (!ct_time_argument(text, start, &ns))
        fail_msg("'%s' is not understood", text);
    if (ns != wanted)
        fail_msg("'%s' is %ld, not %ld", text, (long)ns, (long)wanted);
}

static void relative_times(void **state)
{
    assert_time("1.5s", 3 * SECOND / 2);
    assert_time("20ms", 20000000);
    assert_time("300us", 300000);
    assert_time("10ns", 10);
    assert_time("2m", 120 * SECOND);
    assert_time("1.5h", 5400 * SECOND);
    assert_time("7", 7 * SECOND);
    assert_time("0.000000001", 1);
    assert_time("0", 0);
    assert_time("1.2345678909s", 1234567890);
}

static void wall_clock_times(void **state)
{
    assert_time("22:13:20.5", 0);
    assert_time("22:13:21", SECOND / 2);
    assert_time("22:13:20.620", 120000000);
    assert_time("22:14", 39 * SECOND + SECOND / 2);
    assert_time("00:00:00", 6399 * SECOND + SECOND / 2);        /* the next day */
    assert_time("2023-11-14 22:13:30", 9 * SECOND + SECOND / 2);
    assert_time("2023-11-14T22:13:30.25", 9 * SECOND + 3 * SECOND / 4);
    assert_time("2023-11-14 22:13:20", -SECOND / 2);            /* with a date, before the start is before */
}

static void what_is_no_time(void **state)
{
    static const char *const texts[] = {
        "", "x", "1.5x", "s", "-1s", "1 s", "99999999999999999999s", "12:3x", "25:00", "12:61", "12:03:99", "1.5.5s",
        "2023-11-14", "2023-11-14 ", "2023-11-14X12:00", ".", "ms",
    };
    int64_t ns = 42;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (ct_time_argument(texts[i], start, &ns))
            fail_msg("'%s' is taken for %ld", texts[i], (long)ns);
    assert_int_equal(ns, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_times),
        cmocka_unit_test(wall_clock_times),
        cmocka_unit_test(what_is_no_time),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
