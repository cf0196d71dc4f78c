/* One of each event of the schema: put, got, put again; cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/event.h"
#include "tests/guard.h"

static const uint64_t values[] = { 0, 1, 127, 128, 1u << 20, (uint64_t)1 << 47, UINT64_MAX };
enum { VALUES = sizeof values / sizeof *values };

static struct ct_event one_of(unsigned no, const struct ct_event_info *info, unsigned turn)
{
    struct ct_event e = { .no = no, .ticks = 1000 + values[turn] / 2, .text = "some text", .text_size = 9 };

    for (unsigned i = 0; i < info->field_count; i++) {
        e.arg[i] = values[(turn + i) % VALUES];
        e.raw[i] = values[(turn + i + 3) % VALUES];
    }
    return e;
}

static void check(const struct ct_event_info *info, const struct ct_event *e)
{
    uint8_t bytes[CT_EVENT_FIXED_MAX + 64], again[sizeof bytes];
    size_t size = (size_t)(ct_event_put(bytes, info, 1000, e) - bytes);
    struct guard g = guard_over(bytes, size);
    struct ct_cursor c = ct_cursor_over(g.at, size, 0);
    struct ct_event back = { 0 };

    assert_true(size <= CT_EVENT_FIXED_MAX + e->text_size);
    assert_int_equal(ct_event_get(&c, info, 1000, &back, NULL), 0);
    assert_int_equal(ct_cursor_left(&c), 0);
    assert_true(back.ticks == e->ticks);
    assert_int_equal((size_t)(ct_event_put(again, info, 1000, &back) - again), size);
    assert_memory_equal(again, bytes, size);
    guard_end(&g);
    for (size_t cut = 1; cut < size; cut++) {
        struct ct_error err;

        g = guard_over(bytes, cut);
        c = ct_cursor_over(g.at, cut, 0);
        assert_int_equal(ct_event_get(&c, info, 1000, &back, &err), -ENODATA);
        assert_ptr_equal(c.at, g.at);
        guard_end(&g);
    }
}

static void test_each(void **state)
{
    unsigned events = 0;

    (void)state;
    for (unsigned no = 0; no < 256; no++) {
        const struct ct_event_info *info = ct_schema_event(no);

        if (!info)
            continue;
        for (unsigned turn = 0; turn < VALUES; turn++) {
            struct ct_event e = one_of(no, info, turn);
            check(info, &e);
        }
        events++;
    }
    assert_true(events > 30);
}

static void test_names(void **state)
{
    (void)state;
    for (unsigned no = 0; no < 256; no++) {
        const struct ct_event_info *info = ct_schema_event(no);

        if (info)
            assert_int_equal(ct_schema_event_by_name(info->name, (unsigned)strlen(info->name)), no);
    }
    assert_int_equal(ct_schema_event_by_name("MUTEX", 5), 0);
    assert_int_equal(ct_schema_event_by_name("", 0), 0);
    for (unsigned no = 0; ct_schema_category(no); no++)
        assert_int_equal(ct_schema_category_by_name(ct_schema_category(no), (unsigned)strlen(ct_schema_category(no))), no);
    assert_int_equal(ct_schema_category_by_name("nothing", 7), -1);
    assert_string_equal(ct_schema_fdkind(9999), "unknown");
    assert_null(ct_schema_call(99999));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each), cmocka_unit_test(test_names) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
