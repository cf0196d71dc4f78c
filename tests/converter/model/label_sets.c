/* Sets of labels: sorted, each once, and never more than they may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "converter/model/label_sets.h"

static struct ct_text text(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

static uint32_t with(struct ct_label_sets *sets, uint32_t set, const char *key, const char *value)
{
    uint32_t ret = 12345;

    assert_int_equal(ct_label_set_with(sets, set, text(key), text(value), &ret), 0);
    return ret;
}

static void assert_set(const struct ct_label_sets *sets, uint32_t set, const char *bytes, size_t size)
{
    struct ct_text got = ct_label_set_text(sets, set);

    assert_int_equal(got.size, size);
    assert_memory_equal(got.at, bytes, size);
}

#define assert_labels(sets, set, literal) assert_set(sets, set, literal, sizeof(literal) - 1)

static void labels_are_set_changed_and_taken_away(void **state)
{
    struct ct_label_sets sets = { 0 };
    uint32_t a, ab;

    (void)state;
    a = with(&sets, 0, "b", "1");
    assert_labels(&sets, a, "b\0001\0");
    ab = with(&sets, a, "a", "2");
    assert_labels(&sets, ab, "a\0002\0b\0001\0");
    assert_labels(&sets, with(&sets, ab, "ab", "3"), "a\0002\0ab\0003\0b\0001\0");
    assert_labels(&sets, with(&sets, ab, "b", "9"), "a\0002\0b\0009\0");
    assert_int_equal(with(&sets, ab, "a", ""), a);
    assert_int_equal(with(&sets, a, "b", ""), 0);
    assert_int_equal(with(&sets, 0, "none", ""), 0);
    assert_int_equal(with(&sets, with(&sets, 0, "a", "2"), "b", "1"), ab);
    ct_label_sets_fini(&sets);
}

static void what_does_not_fit_changes_nothing(void **state)
{
    struct ct_label_sets sets = { 0 };
    char key[16], value[1001];
    uint32_t set = 0, before = 0;

    (void)state;
    memset(value, 'v', 1000);
    value[1000] = 0;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "key%u", i);
        before = set;
        set = with(&sets, set, key, value);
    }
    assert_int_equal(set, before);
    assert_true(ct_label_set_text(&sets, set).size <= CT_LABEL_SET_BYTES);
    ct_label_sets_fini(&sets);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_set_changed_and_taken_away),
        cmocka_unit_test(what_does_not_fit_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
