/* The tables: equal rows are one, memory has an end, sums do not overflow, addresses are those of calls. */
#include <errno.h>

#include "converter/profile/sample.h"
#include "converter/profile/utf8.h"
#include "tests/converter/profile/shop.h"

static void equal_rows_are_one(void **state)
{
    struct ct_profile *p = shop_profile(), *q = p;
    uint32_t before[] = { p->texts.count, p->mappings.count, p->locations.count, p->stacks.count };
    uint32_t row, stack = p->samples.items[1].stack;
    struct ct_profile_label labels[2];
    int64_t values[] = { 7, 8 };

    /* labels in another order are the same labels */
    assert_int_equal(ct_profile_number_label(q, "bytes", 64, "bytes", &labels[0]), 0);
    assert_int_equal(ct_profile_text_label(q, "endpoint", "/a", &labels[1]), 0);
    assert_int_equal(ct_profile_add_sample(q, stack, values, labels, 2, &row), 0);
    assert_int_equal(row, 1);
    assert_int_equal(q->values.items[2], 12);
    assert_int_equal(q->values.items[3], 50000008);
    assert_int_equal(ct_profile_add_sample(q, stack, values, labels, 1, &row), 0);
    assert_int_equal(row, 3);                   /* fewer labels are others */
    labels[0].number = 65;
    assert_int_equal(ct_profile_add_sample(q, stack, values, labels, 2, &row), 0);
    assert_int_equal(row, 4);
    assert_int_equal(ct_profile_add_mapping(p, &p->mappings.items[1], &row), 0);
    assert_int_equal(row, 1);
    assert_int_equal(p->texts.count, before[0]);
    assert_int_equal(p->mappings.count, before[1]);
    assert_int_equal(p->locations.count, before[2]);
    assert_int_equal(p->stacks.count, before[3]);
    assert_int_equal(p->main_mapping, 0);
    ct_profile_free(p);
}

static void many_rows_are_found_again(void **state)
{
    struct ct_profile *p;
    uint32_t rows[20000], row;
    char text[32];

    assert_int_equal(ct_profile_new(&p), 0);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            snprintf(text, sizeof text, "function number %d", i);
            assert_int_equal(ct_profile_string(p, text, &row), 0);
            if (round)
                assert_int_equal(row, rows[i]);
            rows[i] = row;
            assert_string_equal(ct_profile_at(p, row), text);
        }
    assert_int_equal(p->texts.count, 20001);
    ct_profile_free(p);
}

static void calls_not_returns(void **state)
{
    struct ct_profile *p = shop_profile();
    uint64_t pcs[] = { 0x401100, 0x7f0000000010, 0x900000, 0, 0x401200 };
    const struct ct_profile_stack *stack;
    const struct ct_profile_location *at[3];
    uint32_t row, again;

    for (int leaf = 0; leaf < 2; leaf++) {
        assert_int_equal(ct_profile_add_pcs(p, pcs, 5, (enum ct_profile_leaf)leaf, &row), 0);
        stack = &p->stacks.items[row];
        assert_int_equal(stack->depth, 3);      /* 0 ends it */
        for (int i = 0; i < 3; i++)
            at[i] = &p->locations.items[p->frames.items[stack->frame + i]];
        assert_int_equal(at[0]->address, leaf == CT_PROFILE_LEAF_EXACT ? 0x401100 : 0x4010ff);
        assert_int_equal(at[1]->address, 0x7f000000000f);
        assert_int_equal(at[0]->mapping, 0);
        assert_int_equal(at[1]->mapping, 1);
        assert_int_equal(at[2]->mapping, CT_PROFILE_NONE);
        assert_int_equal(ct_profile_add_pcs(p, pcs, 3, (enum ct_profile_leaf)leaf, &again), 0);
        assert_int_equal(again, row);
    }
    /* a named location is the same one for an address that comes again */
    row = p->frames.items[p->stacks.items[again].frame];
    assert_int_equal(ct_profile_set_lines(p, row, p->lines.items, 1), 0);
    assert_int_equal(ct_profile_add_pcs(p, pcs, 1, CT_PROFILE_LEAF_RETURN, &again), 0);
    assert_int_equal(p->frames.items[p->stacks.items[again].frame], row);
    ct_profile_free(p);
}

static void memory_has_an_end(void **state)
{
    struct ct_profile *p = shop_profile();
    int64_t values[] = { 1, 1 };
    uint64_t pcs[2] = { 0x400000, 0x401081 };
    uint32_t stack;
    int r = 0;

    p->bytes_max = p->bytes + 100000;
    for (int i = 0; i < 100000 && r == 0; i++) {
        pcs[0]++;
        r = ct_profile_add_pcs(p, pcs, 2, CT_PROFILE_LEAF_EXACT, &stack);
        if (r == 0)
            r = ct_profile_add_sample(p, stack, values, NULL, 0, NULL);
    }
    assert_int_equal(r, -EFBIG);
    assert_true(p->bytes <= p->bytes_max);
    assert_true(p->samples.count > 200);
    {
        uint32_t *locations = calloc(30000, sizeof *locations);
        uint64_t before = p->bytes_max = p->bytes + 50000;

        assert_int_equal(ct_profile_add_stack(p, locations, 30000, &stack), -EFBIG);
        assert_true(p->bytes <= before);
        free(locations);
    }
    shop_write(p, "full.pb.gz");                /* what is there is whole */
    ct_profile_free(p);
    p = shop_read("full.pb.gz");
    assert_true(p->samples.count > 200);
    ct_profile_free(p);
}

static void bad_arguments(void **state)
{
    struct ct_profile *p = shop_profile();
    struct ct_profile_label label = { .key = 9999 };
    struct ct_profile_function function = { .name = 9999 };
    struct ct_profile_location location = { .mapping = 77 };
    int64_t values[2] = { 0 };
    uint32_t none[] = { 9999 };

    assert_int_equal(ct_profile_add_sample(p, 9999, values, NULL, 0, NULL), -EINVAL);
    assert_int_equal(ct_profile_add_sample(p, 0, values, &label, 1, NULL), -EINVAL);
    assert_int_equal(ct_profile_add_stack(p, none, 1, NULL), -EINVAL);
    assert_int_equal(ct_profile_add_stack(p, none, CT_PROFILE_DEPTH_MAX + 1, NULL), -EFBIG);
    assert_int_equal(ct_profile_add_function(p, &function, NULL), -EINVAL);
    assert_int_equal(ct_profile_add_location(p, &location, NULL, NULL), -EINVAL);
    assert_int_equal(ct_profile_add_type(p, "late", "count"), -EINVAL);
    ct_profile_free(p);
    ct_profile_free(NULL);
}

static void sums(void **state)
{
    assert_int_equal(ct_profile_sum(3, -5), -2);
    assert_int_equal(ct_profile_sum(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(ct_profile_sum(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(ct_profile_sum(INT64_MIN, INT64_MAX), -1);
}

static void utf8(void **state)
{
    static const struct {
        const char *text, *mended;
    } cases[] = {
        { "plain", "plain" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "a\xff" "b", "a\xef\xbf\xbd" "b" },
        { "\xc3", "\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },     /* a surrogate */
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },                     /* overlong */
        { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
    };
    char text[32];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text[ct_utf8_mend(cases[i].text, strlen(cases[i].text), text)] = 0;
        assert_string_equal(text, cases[i].mended);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rows_are_one),
        cmocka_unit_test(many_rows_are_found_again),
        cmocka_unit_test(calls_not_returns),
        cmocka_unit_test(memory_has_an_end),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(sums),
        cmocka_unit_test(utf8),
    };

    return cmocka_run_group_tests(tests, shop_open, shop_close);
}
