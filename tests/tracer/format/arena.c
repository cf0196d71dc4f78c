/* The arena's layout: every size makes one whose parts lie apart, and a damaged one is refused, never followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/arena.h"

static struct ct_arena *new_arena(uint64_t size)
{
    struct ct_arena *a = calloc(1, size);

    assert_non_null(a);
    a->magic = CT_ARENA_MAGIC;
    a->version = CT_ARENA_VERSION;
    a->head_size = sizeof *a;
    assert_int_equal(ct_arena_layout_make(size, &a->layout), 0);
    return a;
}

static void test_parts_lie_apart(void **state)
{
    (void)state;
    for (uint64_t size = CT_ARENA_MIN; size <= (uint64_t)256 << 20; size += size / 3) {
        struct ct_arena head = { .magic = CT_ARENA_MAGIC, .version = CT_ARENA_VERSION, .head_size = sizeof head };
        struct ct_arena *a = &head;

        assert_int_equal(ct_arena_layout_make(size, &head.layout), 0);
        assert_int_equal(ct_arena_check(a, size, NULL), 0);
        assert_true((uint8_t *)ct_arena_threads(a) >= (uint8_t *)(a + 1));
        assert_true((uint8_t *)ct_arena_directory(a) >= (uint8_t *)(ct_arena_threads(a) + a->layout.thread_count));
        assert_true((uint8_t *)ct_arena_strings(a) >= (uint8_t *)(ct_arena_directory(a) + a->layout.slice_units));
        assert_true((uint8_t *)ct_arena_addresses(a) >=
                    (uint8_t *)(ct_arena_string_bytes(a) + a->layout.string_bytes));
        assert_true((uint8_t *)ct_arena_stacks(a) >=
                    (uint8_t *)(ct_arena_address_entries(a) + a->layout.address_slots));
        assert_true((uint8_t *)ct_arena_modules(a) >= (uint8_t *)(ct_arena_stack_words(a) + a->layout.stack_words));
        assert_true((uint8_t *)ct_arena_batch(a, 0) >=
                    (uint8_t *)(ct_arena_modules(a) + 1) + a->layout.modules_bytes);
        assert_true((uint8_t *)ct_arena_batch(a, a->layout.slice_units) <= (uint8_t *)a + size);
        assert_true((uint64_t)a->layout.slice_units * CT_SLICE_UNIT * 2 > size);     /* most of it is for events */
    }
}

static void test_sizes_out_of_range(void **state)
{
    struct ct_arena_layout l;

    (void)state;
    assert_int_equal(ct_arena_layout_make(0, &l), -EINVAL);
    assert_int_equal(ct_arena_layout_make(CT_ARENA_MIN - 1, &l), -EINVAL);
    assert_int_equal(ct_arena_layout_make(UINT64_MAX, &l), -EINVAL);
}

/* Each word of the layout with each of some values: refused, or still inside. */
static void test_damaged_layout(void **state)
{
    static const uint32_t values[] = { 0, 1, 7, 4096, 1u << 20, 0x7fffffff, 0x80000000, 0xfffff000, UINT32_MAX };
    struct ct_arena *a = new_arena(CT_ARENA_MIN);
    uint32_t *words = (uint32_t *)&a->layout;
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < sizeof a->layout / sizeof *words; i++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            uint32_t was = words[i];

            words[i] = values[v];
            if (ct_arena_check(a, CT_ARENA_MIN, NULL) == 0) {
                uint8_t *end = (uint8_t *)a + CT_ARENA_MIN;

                assert_true((uint8_t *)(ct_arena_threads(a) + a->layout.thread_count) <= end);
                assert_true((uint8_t *)(ct_arena_directory(a) + a->layout.slice_units) <= end);
                assert_true((uint8_t *)ct_arena_string_bytes(a) + a->layout.string_bytes <= end);
                assert_true((uint8_t *)(ct_arena_address_entries(a) + a->layout.address_slots) <= end);
                assert_true((uint8_t *)(ct_arena_stack_words(a) + a->layout.stack_words) <= end);
                assert_true((uint8_t *)ct_arena_batch(a, a->layout.slice_units) <= end);
            } else {
                refused++;
            }
            words[i] = was;
        }
    assert_true(refused > 50);
    free(a);
}

static void test_not_an_arena(void **state)
{
    struct ct_arena *a = new_arena(CT_ARENA_MIN);
    struct ct_error err;

    (void)state;
    assert_int_equal(ct_arena_check(a, sizeof *a - 1, &err), -EINVAL);
    assert_int_equal(ct_arena_check(a, CT_ARENA_MIN - 1, &err), -EINVAL);
    a->run_size = CT_ARENA_TEXT + 1;
    assert_int_equal(ct_arena_check(a, CT_ARENA_MIN, &err), -EINVAL);
    a->run_size = 0;
    a->version++;
    assert_int_equal(ct_arena_check(a, CT_ARENA_MIN, &err), -EINVAL);
    a->version--;
    a->magic ^= 1;
    assert_int_equal(ct_arena_check(a, CT_ARENA_MIN, &err), -EINVAL);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_lie_apart),
        cmocka_unit_test(test_sizes_out_of_range),
        cmocka_unit_test(test_damaged_layout),
        cmocka_unit_test(test_not_an_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
