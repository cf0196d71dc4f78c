/* The clock: piecewise linear, monotonic whatever a file says, and its inverse is exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "converter/read/clock.h"

static struct ct_read_clock clock_of(const struct ct_clock_sample *samples, size_t count, uint64_t ticks_per_second)
{
    struct ct_read_clock clock = { 0 };

    for (size_t i = 0; i < count; i++)
        assert_int_equal(ct_read_clock_add(&clock, &samples[i]), 0);
    ct_read_clock_ready(&clock, ticks_per_second);
    return clock;
}

static void between_points_it_is_straight(void **state)
{
    const struct ct_clock_sample samples[] = { { 3000, 2000000000, 7 }, { 1000, 1000000000, 5 }, { 4000, 2000001000, 9 } };
    struct ct_read_clock clock = clock_of(samples, 3, 0);

    assert_int_equal(ct_read_clock_ns(&clock, 1000), 1000000000);
    assert_int_equal(ct_read_clock_ns(&clock, 2000), 1500000000);
    assert_int_equal(ct_read_clock_ns(&clock, 3000), 2000000000);
    assert_int_equal(ct_read_clock_ns(&clock, 3500), 2000000500);
    assert_int_equal(clock.realtime_offset_ns, 7 - 2000000000);     /* of the sample that was added first */
    ct_read_clock_fini(&clock);
}

static void one_reading_trusts_the_nominal_rate(void **state)
{
    const struct ct_clock_sample sample = { 1000, 1000, 0 };
    struct ct_read_clock clock = clock_of(&sample, 1, 200000000);

    assert_int_equal(ct_read_clock_ns(&clock, 1200), 2000);
    assert_int_equal(ct_read_clock_ns(&clock, 900), 500);
    assert_int_equal(ct_read_clock_ns(&clock, 0), 0);
    ct_read_clock_fini(&clock);
}

/* Two readings close together say little of the rate: what lies outside goes by the nominal one. */
static void a_short_trace_is_not_stretched(void **state)
{
    const struct ct_clock_sample samples[] = { { 1000, 100000, 0 }, { 1010, 100100, 0 } };
    struct ct_read_clock clock = clock_of(samples, 2, 200000000);

    assert_int_equal(ct_read_clock_ns(&clock, 2010), 100100 + 5000);
    ct_read_clock_fini(&clock);
}

static void nonsense_stays_monotonic(void **state)
{
    srandom(1);
    for (unsigned round = 0; round < 300; round++) {
        struct ct_clock_sample samples[8];
        uint64_t tick = 0;
        int64_t last = 0;

        for (unsigned i = 0; i < 8; i++)
            samples[i] = (struct ct_clock_sample){ (uint64_t)random() << random() % 34, (uint64_t)random() << random() % 34, 0 };
        struct ct_read_clock clock = clock_of(samples, (size_t)random() % 9, (uint64_t)random() << random() % 34);

        for (unsigned i = 0; i < 200; i++) {
            int64_t ns = ct_read_clock_ns(&clock, tick);

            assert_true(ns >= last);
            last = ns;
            tick += (uint64_t)random() << random() % 28;
        }
        assert_true(ct_read_clock_ns(&clock, UINT64_MAX) >= last);
        ct_read_clock_fini(&clock);
    }
}

static void a_span_says_the_same(void **state)
{
    const struct ct_clock_sample samples[] = { { 1000, 5000, 0 }, { 300000000, 1500000123, 0 }, { 500000000, 2500000077, 0 } };
    struct ct_read_clock clock = clock_of(samples, 3, 200000000);
    struct ct_clock_span span = { 0 };

    for (uint64_t tick = 0; tick < 700000000; tick += 333337)
        assert_int_equal(ct_clock_span_ns(&clock, &span, tick), ct_read_clock_ns(&clock, tick));
    ct_read_clock_fini(&clock);
}

static void the_inverse_is_the_first_tick(void **state)
{
    srandom(2);
    for (unsigned round = 0; round < 200; round++) {
        struct ct_clock_sample samples[4] = { { (uint64_t)random(), (uint64_t)random() * 4, 0 } };
        struct ct_read_clock clock;

        for (unsigned i = 1; i < 4; i++)
            samples[i] = (struct ct_clock_sample){ samples[i - 1].ticks + (uint64_t)random() % 400000000,
                                                   samples[i - 1].monotonic_ns + (uint64_t)random() % 2000000000, 0 };
        clock = clock_of(samples, (size_t)random() % 5, random() % 2 ? 200000000 : 3000000000);
        for (unsigned i = 0; i < 100; i++) {
            int64_t ns = random() * (random() % 8);
            uint64_t tick = ct_read_clock_ticks(&clock, ns);

            assert_true(ct_read_clock_ns(&clock, tick) >= ns);
            assert_true(tick == 0 || ct_read_clock_ns(&clock, tick - 1) < ns);
        }
        ct_read_clock_fini(&clock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_points_it_is_straight),   cmocka_unit_test(one_reading_trusts_the_nominal_rate),
        cmocka_unit_test(a_short_trace_is_not_stretched),  cmocka_unit_test(nonsense_stays_monotonic),
        cmocka_unit_test(a_span_says_the_same),            cmocka_unit_test(the_inverse_is_the_first_tick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
