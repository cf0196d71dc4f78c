/* Intervals: nested, touching, equal starts, and the one that ends a search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "converter/symbols/intervals.h"

static int value_at(const struct ct_intervals *intervals, uint64_t address)
{
    const struct ct_interval *found = ct_intervals_find(intervals, address);

    return found ? (int)found->value : -1;
}

static void innermost_answers(void **state)
{
    struct ct_intervals intervals = { 0 };

    assert_int_equal(value_at(&intervals, 5), -1);
    assert_int_equal(ct_intervals_add(&intervals, 50, 60, 2, 0), 0);
    assert_int_equal(ct_intervals_add(&intervals, 10, 100, 1, 0), 0);
    assert_int_equal(ct_intervals_add(&intervals, 52, 54, 3, 0), 0);
    assert_int_equal(ct_intervals_add(&intervals, 100, 110, 4, 0), 0);
    assert_int_equal(ct_intervals_add(&intervals, 300, UINT64_MAX, 5, 0), 0);
    assert_int_equal(ct_intervals_add(&intervals, 200, 200, 9, 0), 0);
    assert_int_equal(ct_intervals_add(&intervals, 200, 190, 9, 0), 0);
    ct_intervals_sort(&intervals);
    assert_int_equal(value_at(&intervals, 9), -1);
    assert_int_equal(value_at(&intervals, 10), 1);
    assert_int_equal(value_at(&intervals, 51), 2);
    assert_int_equal(value_at(&intervals, 53), 3);
    assert_int_equal(value_at(&intervals, 54), 2);
    assert_int_equal(value_at(&intervals, 99), 1);
    assert_int_equal(value_at(&intervals, 100), 4);
    assert_int_equal(value_at(&intervals, 110), -1);
    assert_int_equal(value_at(&intervals, 200), -1);
    assert_int_equal(value_at(&intervals, UINT64_MAX - 1), 5);
    ct_intervals_fini(&intervals);
    assert_null(intervals.items);
}

static void highest_rank_answers(void **state)
{
    struct ct_intervals intervals = { 0 };

    assert_int_equal(ct_intervals_add(&intervals, 10, 20, 1, 7), 0);
    assert_int_equal(ct_intervals_add(&intervals, 10, 20, 2, 9), 0);
    assert_int_equal(ct_intervals_add(&intervals, 10, 30, 3, 8), 0);
    ct_intervals_sort(&intervals);
    assert_int_equal(value_at(&intervals, 15), 2);
    assert_int_equal(value_at(&intervals, 25), 3);
    ct_intervals_fini(&intervals);
}

/* Against the obvious slow search. */
static void random_ones(void **state)
{
    struct ct_intervals intervals = { 0 };
    uint64_t low[200], high[200];

    srand(1);
    for (int i = 0; i < 200; i++) {
        low[i] = (uint64_t)rand() % 1000 * 4 + (uint64_t)(i & 3);
        high[i] = low[i] + 1 + (uint64_t)rand() % 60;
        assert_int_equal(ct_intervals_add(&intervals, low[i], high[i], (uint32_t)i, 0), 0);
    }
    ct_intervals_sort(&intervals);
    for (uint64_t address = 0; address < 4100; address++) {
        int best = -1;

        for (int i = 0; i < 200; i++)
            if (low[i] <= address && address < high[i] && (best < 0 || low[i] >= low[best]))
                best = i;
        assert_int_equal(value_at(&intervals, address), best);
    }
    ct_intervals_fini(&intervals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(innermost_answers),
        cmocka_unit_test(highest_rank_answers),
        cmocka_unit_test(random_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
