/* The heap sampler's parts: the distribution it draws from, and the set of watched addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>

#include "profile/heap.h"
#include "profile/watched.h"

enum { DRAWS = 1000000 };

static int64_t draws[DRAWS];

static double part_below(double limit)
{
    unsigned n = 0;

    for (unsigned i = 0; i < DRAWS; i++)
        n += (double)draws[i] < limit;
    return (double)n / DRAWS;
}

/* Five standard deviations of a mean of a million may lie between. */
static void draws_are_exponential(void **state)
{
    static const double mean = 512 << 10;
    double sum = 0, squares = 0, product = 0;
    uint64_t random = 12345;

    (void)state;
    for (unsigned i = 0; i < DRAWS; i++) {
        draws[i] = ct_heap_draw(&random, (uint64_t)mean);
        assert_true(draws[i] >= 0);
        sum += (double)draws[i] / mean;
        squares += ((double)draws[i] / mean) * ((double)draws[i] / mean);
        if (i)
            product += ((double)draws[i] / mean - 1) * ((double)draws[i - 1] / mean - 1);
    }
    assert_float_equal(sum / DRAWS, 1, 0.005);
    assert_float_equal(squares / DRAWS, 2, 0.025);
    assert_float_equal(product / DRAWS, 0, 0.005);
    for (double at = 1. / 4096; at < 16; at *= 2) {
        double p = -expm1(-at);

        assert_float_equal(part_below(at * mean), p, 5 * sqrt(p * (1 - p) / DRAWS) + 2e-6);
    }
}

static void a_mean_of_one_takes_all(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(ct_heap_draw(&random, 1), 0);
}

static const void *address(uintptr_t i)
{
    return (const void *)(0x7f0000000000 + i * 16); /* NOLINT: only compared */
}

static void the_set_keeps_what_it_took(void **state)
{
    enum { MANY = 30000 };

    (void)state;
    assert_false(ct_watched_maybe(address(0)));
    assert_false(ct_watched_add(address(0)));           /* before it has memory */
    assert_false(ct_watched_maybe(address(0)));
    ct_watched_init();
    for (uintptr_t i = 0; i < MANY; i++)
        assert_true(ct_watched_add(address(i)));
    for (uintptr_t i = 0; i < MANY; i++)
        assert_true(ct_watched_maybe(address(i)));
    assert_false(ct_watched_take(address(MANY)));
    assert_false(ct_watched_take(NULL));
    for (uintptr_t i = 0; i < MANY; i++) {
        assert_true(ct_watched_take(address(i)));
        assert_false(ct_watched_take(address(i)));
    }
    for (uintptr_t i = 0; i < MANY; i++)
        assert_false(ct_watched_maybe(address(i)));
}

/* Full is an answer, and what was refused is not in. */
static void the_set_is_bounded(void **state)
{
    enum { MORE = 2 * CT_WATCHED_BUCKETS * CT_WATCHED_WAYS };
    static bool in[MORE];
    unsigned count = 0;

    (void)state;
    for (uintptr_t i = 0; i < MORE; i++)
        count += in[i] = ct_watched_add(address(i * 7));
    assert_in_range(count, MORE / 2 * 9 / 10, MORE / 2);
    for (uintptr_t i = 0; i < MORE; i++)
        assert_int_equal(ct_watched_take(address(i * 7)), in[i]);
    ct_watched_add(address(1));
    ct_watched_clear();
    assert_false(ct_watched_maybe(address(1)));
    assert_false(ct_watched_take(address(1)));
}

static void *add_and_take(void *first)
{
    uintptr_t from = (uintptr_t)first;

    for (int round = 0; round < 2000; round++)
        for (uintptr_t i = 0; i < 64; i++) {
            const void *block = address(from + i * 1013);

            if (!ct_watched_add(block) || !ct_watched_maybe(block) || (i % 2 == 0 && !ct_watched_take(block)))
                return (void *)1;
            if (i % 2 == 1 && !ct_watched_take(address(from + i * 1013)))
                return (void *)2;
        }
    return NULL;
}

static void threads_share_the_set(void **state)
{
    pthread_t threads[4];
    void *wrong;

    (void)state;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_and_take, (void *)(i * 1000003)), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    for (unsigned i = 0; i < 1 << CT_WATCHED_FILTER_BITS; i++)
        assert_int_equal(ct_watched_filter[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_exponential),
        cmocka_unit_test(a_mean_of_one_takes_all),
        cmocka_unit_test(the_set_keeps_what_it_took),
        cmocka_unit_test(the_set_is_bounded),
        cmocka_unit_test(threads_share_the_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
