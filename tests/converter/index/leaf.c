/* What was put into leaves comes out again: slices in order and in any, values whole and broken, and payloads of all sizes. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "converter/index/leaf.h"

enum { PAYLOADS = CT_LEAF * 300, ROOM = 1 << 16 };

static uint64_t bits(unsigned most)
{
    unsigned width = (unsigned)rand() % (most + 1);
    uint64_t all = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();

    return width ? all >> (64 - width) : 0;
}

static void fill_slices(struct ct_raw *raw, unsigned from, unsigned count, bool loose, unsigned wide, size_t *payload)
{
    int64_t at = (int64_t)bits(40);

    *payload = 0;
    for (unsigned i = from; i < from + count; i++) {
        at += (int64_t)bits(wide);
        raw[i].start = loose ? (int64_t)bits(wide + 1) : at;
        raw[i].dur = (int64_t)bits(wide);
        raw[i].name = (uint32_t)bits(rand() % 2 ? 3 : 32);
        raw[i].size = (uint32_t)rand() % (rand() % 8 ? 12 : 300);
        *payload += raw[i].size;
        at += raw[i].dur;
    }
}

static void check_slices(const struct ct_leaf *l, const struct ct_raw *raw, const uint8_t *payload)
{
    int64_t start[CT_LEAF], dur[CT_LEAF];
    size_t size;

    ct_leaf_times(l, start, dur);
    for (unsigned i = 0; i < l->count; i++) {
        assert_int_equal(start[i], raw[i].start);
        assert_int_equal(dur[i], raw[i].dur);
        assert_int_equal(ct_leaf_start(l, i), start[i]);
        assert_int_equal(ct_leaf_end(l, i), start[i] + dur[i]);
        assert_int_equal(ct_leaf_name(l, i), raw[i].name);
        assert_memory_equal(ct_leaf_payload(l, i, &size), payload, raw[i].size);
        assert_int_equal(size, raw[i].size);
        payload += size;
    }
}

static void slices_come_back(void **state)
{
    static uint8_t payload[PAYLOADS], bytes[ROOM];
    static struct ct_raw raw[2 * CT_LEAF];

    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)rand();
    for (unsigned round = 0; round < 4000; round++) {
        unsigned from = round % 2 ? CT_LEAF : 0, count = round % 3 ? CT_LEAF : 1 + (unsigned)rand() % CT_LEAF;
        bool loose = round % 5 == 0;
        struct ct_leaf leaf;
        struct ct_sum sum;
        size_t size, used;

        fill_slices(raw, from, count, loose, (unsigned)rand() % 45, &used);
        memset(bytes, 0xff, sizeof bytes);
        size = ct_leaf_slices(bytes, raw + from, count, payload, loose, &sum);
        assert_true(size + 8 <= ct_leaf_room(count, used) && sum.size == size);
        assert_int_equal(bytes[ct_leaf_room(count, used)], 0xff);
        assert_true(ct_leaf_open(&leaf, bytes, &sum, false));
        assert_int_equal(leaf.count, count);
        check_slices(&leaf, raw + from, payload);
        sum.size = (uint32_t)(size - used - 1) & CT_LEAF_SIZE_MAX;      /* cut within its columns */
        assert_false(ct_leaf_open(&leaf, bytes, &sum, false));
    }
}

static double some_value(unsigned kind)
{
    switch (kind) {
    case 0: return (double)(int64_t)bits(53) * (rand() % 2 ? -1 : 1);
    case 1: return (double)rand() / 7;
    case 2: return rand() % 2 ? 0.0 : -0.0;
    case 3: return rand() % 2 ? DBL_MAX : -1e300;
    }
    return (double)(rand() % 1000);
}

static void values_come_back(void **state)
{
    static uint8_t bytes[ROOM];
    static struct ct_raw raw[2 * CT_LEAF];

    for (unsigned round = 0; round < 2000; round++) {
        unsigned count = 1 + (unsigned)rand() % CT_LEAF;
        double value[CT_LEAF];
        int64_t ns[CT_LEAF], at = 0;
        struct ct_leaf leaf;
        struct ct_sum sum;

        for (unsigned i = 0; i < count; i++) {
            at += (int64_t)bits(45);
            raw[i].start = at;
            raw[i].value = some_value(round % 6);
        }
        ct_leaf_values(bytes, raw, count, &sum);
        assert_true(ct_leaf_open(&leaf, bytes, &sum, true));
        ct_leaf_all_values(&leaf, ns, value);
        for (unsigned i = 0; i < count; i++) {
            assert_int_equal(ns[i], raw[i].start);
            assert_memory_equal(&value[i], &raw[i].value, sizeof *value);
        }
        assert_true(sum.values.last == raw[count - 1].value);
        assert_false(ct_leaf_open(&leaf, bytes, &sum, false) && leaf.whole);
    }
}

/* Bytes that nobody wrote: no leaf, or one whose times can be added up and whose payloads lie in it. */
static void nonsense_is_bounded(void **state)
{
    unsigned taken = 0;

    for (unsigned round = 0; round < 20000; round++) {
        struct ct_sum sum = { .start = (int64_t)bits(53), .count = 1 + (unsigned)rand() % CT_LEAF, .size = 12 + (unsigned)rand() % 900 };
        uint8_t *bytes = malloc(sum.size + 8);          /* no more than may be read, which sanitizers see */
        int64_t start[CT_LEAF], dur[CT_LEAF];
        double value[CT_LEAF];
        struct ct_leaf leaf;

        assert_non_null(bytes);
        for (unsigned i = 0; i < sum.size; i++)
            bytes[i] = (uint8_t)rand();
        bytes[0] = (uint8_t)(sum.count - 1);
        bytes[1] = (uint8_t)(rand() % 4);
        for (unsigned i = 2; i < 6; i++)
            bytes[i] = (uint8_t)(rand() % (rand() % 4 ? 8 : 60));
        if (ct_leaf_open(&leaf, bytes, &sum, false)) {
            ct_leaf_times(&leaf, start, dur);
            for (unsigned i = 0; i < leaf.count; i++) {
                size_t size;
                const uint8_t *payload = ct_leaf_payload(&leaf, i, &size);

                assert_true(start[i] >= 0 && start[i] + dur[i] >= start[i]);
                assert_true(payload >= bytes && payload + size <= bytes + sum.size);
                ct_leaf_name(&leaf, i);
            }
            taken++;
        }
        if (ct_leaf_open(&leaf, bytes, &sum, true))
            ct_leaf_all_values(&leaf, start, value);
        free(bytes);
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(slices_come_back), cmocka_unit_test(values_come_back),
                                        cmocka_unit_test(nonsense_is_bounded) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
