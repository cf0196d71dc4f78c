/* Varints and the cursor that reads them: every length, every cut, nothing past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/cursor.h"
#include "tests/guard.h"

static const uint64_t numbers[] = {
    0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000, 1u << 28, UINT32_MAX, 1ull << 35, 1ull << 42, 1ull << 49,
    1ull << 56, (1ull << 63) - 1, 1ull << 63, UINT64_MAX,
};

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t bytes[CT_VARINT_MAX];
        size_t size = (size_t)(ct_varint_put(bytes, numbers[i]) - bytes);
        struct guard g = guard_over(bytes, size);
        struct ct_cursor c = ct_cursor_over(g.at, size, 100);
        uint64_t back;

        assert_int_equal(ct_cursor_varint(&c, &back, NULL), 0);
        assert_true(back == numbers[i]);
        assert_int_equal(ct_cursor_left(&c), 0);
        assert_int_equal(ct_cursor_offset(&c), 100 + size);
        guard_end(&g);
    }
}

static void test_cut(void **state)
{
    uint8_t bytes[CT_VARINT_MAX];
    size_t size = (size_t)(ct_varint_put(bytes, UINT64_MAX) - bytes);

    (void)state;
    assert_int_equal(size, CT_VARINT_MAX);
    for (size_t cut = 0; cut < size; cut++) {
        struct guard g = guard_over(bytes, cut);
        struct ct_cursor c = ct_cursor_over(g.at, cut, 7);
        struct ct_error err;
        uint64_t back = 42;

        assert_int_equal(ct_cursor_varint(&c, &back, &err), -ENODATA);
        assert_int_equal(back, 42);
        assert_ptr_equal(c.at, g.at);
        assert_int_equal(err.code, -ENODATA);
        assert_int_equal(err.offset, 7);
        guard_end(&g);
    }
}

static void test_too_long(void **state)
{
    static const uint8_t longer[][11] = {
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 },         /* bit 64 */
        { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 },   /* an eleventh byte */
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ct_cursor c = ct_cursor_over(longer[i], sizeof longer[i], 0);
        uint64_t back = 42;

        assert_int_equal(ct_cursor_varint(&c, &back, NULL), -EINVAL);
        assert_int_equal(back, 42);
        assert_ptr_equal(c.at, longer[i]);
    }
}

static void test_zigzag(void **state)
{
    static const int64_t signs[] = { 0, -1, 1, -2, 2, -64, 63, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        assert_true(ct_unzigzag(ct_zigzag(signs[i])) == signs[i]);
    assert_int_equal(ct_zigzag(-1), 1);
    assert_int_equal(ct_zigzag(1), 2);
}

static void test_text(void **state)
{
    static const uint8_t bytes[] = { 3, 'a', 'b', 'c', 5, 'd' };
    struct guard g = guard_over(bytes, sizeof bytes);
    struct ct_cursor c = ct_cursor_over(g.at, sizeof bytes, 0);
    struct ct_error err;
    const char *text = NULL;
    size_t size = 0;

    (void)state;
    assert_int_equal(ct_cursor_text(&c, &text, &size, NULL), 0);
    assert_int_equal(size, 3);
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(ct_cursor_text(&c, &text, &size, &err), -ENODATA);
    assert_int_equal(size, 3);
    assert_int_equal(err.offset, 4);
    assert_ptr_equal(c.at, g.at + 4);
    guard_end(&g);
}

static void test_text_of_absurd_length(void **state)
{
    uint8_t bytes[CT_VARINT_MAX + 1] = { 0 };
    struct ct_cursor c = ct_cursor_over(bytes, (size_t)(ct_varint_put(bytes, UINT64_MAX) - bytes) + 1, 0);
    const char *text;
    size_t size;

    (void)state;
    assert_int_equal(ct_cursor_text(&c, &text, &size, NULL), -ENODATA);
    assert_ptr_equal(c.at, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_cut),  cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_zigzag),     cmocka_unit_test(test_text), cmocka_unit_test(test_text_of_absurd_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
