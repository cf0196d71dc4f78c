/* What is told of a range: items are found, and what the end tells stands behind what the beginning told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "converter/read/told.h"
#include "tests/guard.h"

static struct ct_text text(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

static void assert_text(struct ct_text is, const char *wanted)
{
    assert_int_equal(is.size, strlen(wanted));
    assert_memory_equal(is.at, wanted, is.size);
}

static void items_are_names_and_values(void **state)
{
    struct guard g = guard_over("id=7\x1fwhat=a=b\x1f\x1f" "alone", 20);
    struct ct_text rest = { (const char *)g.at, 20 };
    static const char *const wanted[][2] = { { "id", "7" }, { "what", "a=b" }, { "", "" }, { "alone", "" } };
    struct ct_told item;

    for (size_t i = 0; i < 4; i++) {
        assert_true(ct_told_next(&rest, &item));
        assert_text(item.name, wanted[i][0]);
        assert_text(item.value, wanted[i][1]);
    }
    assert_false(ct_told_next(&rest, &item));
    guard_end(&g);
}

static void numbers_are_those_of_json(void **state)
{
    static const char *const numbers[] = { "0", "7", "-7", "123456789012345" };
    static const char *const texts[] = { "", "-", "07", "-07", "1.5", "1e3", "0x7", "7 ", "1234567890123456", "seven" };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(ct_told_is_number(text(numbers[i])));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(ct_told_is_number(text(texts[i])));
}

static void an_end_tells_what_is_new(void **state)
{
    char to[64];
    size_t size = ct_told_besides(text("id=7\x1fstep=1"), text("id=7\x1fstep=2\x1fresult=-1"), to, sizeof to);

    assert_text((struct ct_text){ to, size }, "\x1fstep (end)=2\x1fresult=-1");
    assert_int_equal(ct_told_besides(text("id=7"), text("id=7"), to, sizeof to), 0);
    assert_text((struct ct_text){ to, ct_told_besides(text(""), text("a=1"), to, sizeof to) }, "\x1f" "a=1");
}

static void what_does_not_fit_is_left_out(void **state)
{
    char to[9];

    for (size_t room = 0; room <= sizeof to; room++) {
        struct guard g = guard_over(to, room);
        size_t size = ct_told_besides(text(""), text("a=1\x1f" "b=2"), (char *)g.at, room);

        assert_int_equal(size, room > 8 ? 8 : room > 4 ? 4 : 0);
        guard_end(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_names_and_values),
        cmocka_unit_test(numbers_are_those_of_json),
        cmocka_unit_test(an_end_tells_what_is_new),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
