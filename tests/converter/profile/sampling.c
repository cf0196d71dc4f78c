/* Weights: exact where they can be, and on average right over many draws with a fixed seed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "converter/profile/sampling.h"

enum { RATE = 512 << 10 };

/* splitmix64 */
static uint64_t dice(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return ((double)(dice(state) >> 11) + 0.5) / 9007199254740992.0;
}

static void assert_near(double value, double wanted, double allowed)
{
    if (!(fabs(value - wanted) <= allowed))
        fail_msg("%g is not within %g of %g", value, allowed, wanted);
}

static void heap_weights(void **state)
{
    assert_near(ct_sampling_heap_weight(RATE, RATE), 1.5819767068693265, 1e-12);
    assert_near(ct_sampling_heap_weight(16, RATE), 32768.50000254313, 1e-6);
    assert_near(ct_sampling_heap_weight(1, 1 << 30), 1073741824.5, 1e-3);       /* 1 - exp would be off by 1e-7 of it */
    assert_near(ct_sampling_heap_weight(100 * (uint64_t)RATE, RATE), 1, 1e-12);
    assert_true(ct_sampling_heap_weight(77, 1) == 1);
    assert_true(ct_sampling_heap_weight(77, 0) == 1);
    assert_true(ct_sampling_heap_weight(0, RATE) == ct_sampling_heap_weight(1, RATE));
    assert_true(ct_sampling_heap_weight(UINT64_MAX, RATE) == 1);
}

/*
 * A program allocates known sizes, a Poisson process over its bytes picks some.  The estimate's standard deviation is
 * known: each allocation contributes size^2 * (weight - 1) to the variance of bytes, weight - 1 to that of objects.
 */
static void heap_is_unbiased(void **state)
{
    static const struct {
        uint64_t size, count;
    } mix[] = { { 16, 4000000 }, { 300, 400000 }, { 4096, 50000 }, { 100000, 2000 }, { 1 << 20, 300 } };
    double worst = 0, sum = 0;
    uint64_t seed = 1;

    for (int run = 0; run < 20; run++) {
        struct ct_sampling_heap heap = { 0 };
        double objects = 0, bytes = 0, object_variance = 0, byte_variance = 0, left = -log(uniform(&seed)) * RATE, off;

        for (size_t i = 0; i < sizeof mix / sizeof *mix; i++) {
            double size = (double)mix[i].size, count = (double)mix[i].count;
            double weight = ct_sampling_heap_weight(mix[i].size, RATE);

            for (uint64_t n = 0; n < mix[i].count; n++) {
                left -= size;
                if (left >= 0)
                    continue;
                ct_sampling_heap_add(&heap, mix[i].size, 1, RATE);
                left = -log(uniform(&seed)) * RATE;
            }
            objects += count;
            bytes += count * size;
            object_variance += count * (weight - 1);
            byte_variance += count * size * size * (weight - 1);
        }
        off = (heap.bytes - bytes) / sqrt(byte_variance);
        assert_near(off, 0, 4);
        assert_near((heap.objects - objects) / sqrt(object_variance), 0, 4);
        worst = fmax(worst, fabs(off));
        sum += off;
    }
    assert_near(sum / 20, 0, 4 / sqrt(20));             /* and on average not off to one side */
    print_message("bytes: worst of 20 runs %.2f standard deviations, mean %.2f\n", worst, sum / 20);
    assert_true(worst > 0.5);                           /* or the deviation is not the true one */
}

/* What was allocated and freed leaves nothing, whatever the order. */
/* Each size lies in the class whose largest it does not exceed, and classes are close and in order. */
static void sizes_fall_into_classes(void **state)
{
    static const uint64_t kept[] = { 1 << 10, 4 << 10, 64 << 10, 1 << 20, (uint64_t)1 << 40, (uint64_t)1 << 62 };

    (void)state;
    assert_int_equal(ct_sampling_class_size(ct_sampling_size_class(0)), 0);
    assert_int_equal(ct_sampling_class_size(ct_sampling_size_class(1)), 8);
    assert_int_equal(ct_sampling_class_size(ct_sampling_size_class(200)), 208);
    assert_int_equal(ct_sampling_class_size(ct_sampling_size_class(900000)), 917504);
    for (uint32_t c = 1; c < ct_sampling_size_class((uint64_t)1 << 62); c++) {
        uint64_t last = ct_sampling_class_size(c), before = ct_sampling_class_size(c - 1);

        assert_true(last > before && (last - before) * 8 <= (last > 64 ? last : 64));
        assert_int_equal(ct_sampling_size_class(last), c);
        assert_int_equal(ct_sampling_size_class(before + 1), c);
        assert_int_equal(ct_sampling_size_class(last + 1), c + 1);
    }
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_int_equal(ct_sampling_class_size(ct_sampling_size_class(kept[i])), kept[i]);
    assert_int_equal(ct_sampling_size_class(UINT64_MAX), ct_sampling_size_class((uint64_t)1 << 62));
}

static void heap_frees(void **state)
{
    struct ct_sampling_heap heap = { 0 };

    for (uint64_t size = 1; size < 1000; size++)
        ct_sampling_heap_add(&heap, size, 3, RATE);
    for (uint64_t size = 999; size > 0; size--)
        ct_sampling_heap_remove(&heap, size, 3, RATE);
    assert_int_equal(ct_sampling_round(heap.objects), 0);
    assert_int_equal(ct_sampling_round(heap.bytes), 0);
    assert_int_equal(ct_sampling_round(-0.7), 0);
    assert_int_equal(ct_sampling_round(2.5), 3);
    assert_int_equal(ct_sampling_round(1e300), INT64_MAX);
    assert_int_equal(ct_sampling_round(NAN), 0);
}

/* Many short waits and some long ones: counts and times come out, and long ones exactly. */
static void waits_are_unbiased(void **state)
{
    static const uint64_t lengths[] = { 1, 50, 900, 9999, 10000, 123456 };
    uint64_t seed = 2, rate = 10000, n = 400000;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct ct_sampling_waits waits = { 0 };
        double p = fmin(1, (double)lengths[i] / (double)rate), deviation = sqrt((double)n * p * (1 - p)) / p;

        for (uint64_t k = 0; k < n; k++)
            if (ct_sampling_wait_seen(lengths[i], rate, dice(&seed)))
                ct_sampling_wait_add(&waits, lengths[i], rate);
        assert_near(waits.count, (double)n, 4 * deviation + 1e-6 * (double)n);
        assert_near(waits.ticks, (double)(n * lengths[i]), (4 * deviation + 1e-6 * (double)n) * (double)lengths[i]);
    }
    assert_false(ct_sampling_wait_seen(1000, 0, 0));
    assert_true(ct_sampling_wait_seen(1, 1, 12345));
    assert_false(ct_sampling_wait_seen(0, 10, 0));
}

static void mutexes_are_unbiased(void **state)
{
    struct ct_sampling_waits waits = { 0 };
    uint64_t seed = 3, n = 1000000;

    for (uint64_t k = 0; k < n; k++)
        if (ct_sampling_mutex_seen(10, dice(&seed)))
            ct_sampling_mutex_add(&waits, 7, 10);
    assert_near(waits.count, (double)n, 4 * sqrt((double)n * 0.1 * 0.9) * 10);
    assert_near(waits.ticks, 7 * waits.count, 1);
    assert_false(ct_sampling_mutex_seen(0, 0));
    assert_true(ct_sampling_mutex_seen(1, 999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_weights),
        cmocka_unit_test(heap_is_unbiased),
        cmocka_unit_test(heap_frees),
        cmocka_unit_test(sizes_fall_into_classes),
        cmocka_unit_test(waits_are_unbiased),
        cmocka_unit_test(mutexes_are_unbiased),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
