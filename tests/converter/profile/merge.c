/* Merging: sums by stack and labels, wherever a file was mapped; what is taken away is gone. */
#include <errno.h>

#include "converter/profile/merge.h"
#include "converter/profile/sample.h"
#include "tests/converter/profile/shop.h"

static void sums_and_scales(void **state)
{
    struct ct_profile *a = shop_profile(), *b = shop_profile(), *sum;
    struct ct_profile_part parts[] = { { a, 1 }, { b, 2.5 } };
    struct ct_error err;

    b->time_ns -= 5;
    b->period = 7;
    assert_int_equal(ct_profile_add_comment(b, "another"), 0);
    assert_int_equal(ct_profile_merge(parts, 2, &sum, &err), 0);
    assert_int_equal(sum->samples.count, 3);
    assert_int_equal(sum->locations.count, 4);
    assert_int_equal(sum->functions.count, 4);
    assert_int_equal(sum->mappings.count, 2);
    assert_int_equal(sum->values.items[0], 35);
    assert_int_equal(sum->values.items[2], 5 + 13);         /* 12.5, to the nearest */
    assert_int_equal(sum->values.items[4], 1 + 3);
    assert_int_equal(sum->time_ns, a->time_ns - 5);
    assert_int_equal(sum->duration_ns, 2 * a->duration_ns);
    assert_int_equal(sum->period, 10000000);
    assert_int_equal(sum->comments.count, 2);
    assert_true(sum->mappings.items[0].has_inline_frames);
    assert_false(sum->mappings.items[1].has_filenames);
    ct_profile_free(a);
    ct_profile_free(b);
    shop_write(sum, "sum.pb.gz");
    ct_profile_free(sum);
    if (shop_has_go())
        assert_non_null(strstr(shop_pprof("-top -sample_index=samples sum.pb.gz"), "        35 61.40%"));
}

static void subtracts(void **state)
{
    struct ct_profile *before = shop_profile(), *after = shop_profile(), *delta;
    int64_t more[] = { 3, 4 };
    struct ct_error err;

    assert_int_equal(ct_profile_add_sample(after, after->samples.items[2].stack, more, NULL, 0, NULL), 0);
    after->time_ns = before->time_ns + 1000;
    assert_int_equal(ct_profile_subtract(after, before, &delta, &err), 0);
    assert_int_equal(delta->samples.count, 1);
    assert_int_equal(delta->values.items[0], 3);
    assert_int_equal(delta->values.items[1], 4);
    assert_int_equal(delta->duration_ns, 1000);
    assert_int_equal(delta->time_ns, after->time_ns);
    assert_int_equal(delta->locations.count, 3);            /* leaf went with its sample */
    assert_int_equal(delta->main_mapping, 0);
    assert_string_equal(ct_profile_at(delta, delta->mappings.items[0].file), "/usr/bin/program");
    ct_profile_free(delta);
    assert_int_equal(ct_profile_subtract(before, after, &delta, &err), 0);
    assert_int_equal(delta->values.items[0], -3);
    ct_profile_free(delta);
    assert_int_equal(ct_profile_subtract(before, before, &delta, &err), 0);
    assert_int_equal(delta->samples.count, 0);
    ct_profile_free(delta);
    ct_profile_free(before);
    ct_profile_free(after);
}

/* The same program at two addresses, as address randomisation has it; another program at the first one's address. */
static struct ct_profile *mapped_at(uint64_t start, const char *build_id)
{
    struct ct_profile *p;
    struct ct_profile_mapping mapping = { .start = start, .limit = start + 0x1234, .offset = 0x1000, .has_functions = true };
    uint64_t pcs[] = { start + 0x100, start + 0x201 };
    int64_t one = 1;
    uint32_t stack;

    assert_int_equal(ct_profile_new(&p), 0);
    assert_int_equal(ct_profile_add_type(p, "samples", "count"), 0);
    mapping.file = shop_text(p, "/bin/x");
    mapping.build_id = shop_text(p, build_id);
    assert_int_equal(ct_profile_add_mapping(p, &mapping, NULL), 0);
    assert_int_equal(ct_profile_add_pcs(p, pcs, 2, CT_PROFILE_LEAF_EXACT, &stack), 0);
    assert_int_equal(ct_profile_add_sample(p, stack, &one, NULL, 0, NULL), 0);
    return p;
}

static void wherever_it_was_mapped(void **state)
{
    struct ct_profile *a = mapped_at(0x555500000000, "aa"), *b = mapped_at(0x666600000000, "aa"),
                      *c = mapped_at(0x555500000000, "cc"), *sum;
    struct ct_profile_part parts[] = { { a, 1 }, { b, 1 }, { c, 1 } };
    struct ct_error err;

    b->mappings.items[0].has_functions = false;
    assert_int_equal(ct_profile_merge(parts, 3, &sum, &err), 0);
    assert_int_equal(sum->mappings.count, 2);
    assert_int_equal(sum->samples.count, 2);
    assert_int_equal(sum->values.items[0], 2);
    assert_int_equal(sum->values.items[1], 1);
    assert_int_equal(sum->locations.items[0].address, 0x555500000100);
    assert_int_equal(sum->locations.items[1].address, 0x555500000200);
    assert_false(sum->mappings.items[0].has_functions);     /* not in every part */
    assert_true(sum->mappings.items[1].has_functions);
    ct_profile_free(a);
    ct_profile_free(b);
    ct_profile_free(c);
    ct_profile_free(sum);
}

static void does_not_go_together(void **state)
{
    struct ct_profile *a = shop_profile(), *b = mapped_at(0x1000, "aa"), *sum;
    struct ct_profile_part parts[] = { { a, 1 }, { b, 1 } };
    struct ct_error err;

    assert_int_equal(ct_profile_merge(parts, 2, &sum, &err), -EINVAL);
    assert_non_null(strstr(err.text, "profile 2 has 1 sample types, the first one 2"));
    assert_int_equal(ct_profile_add_type(a, "late", "count"), -EINVAL);
    b->types[1] = b->types[0];
    b->type_count = 2;
    parts[0].profile = b;
    parts[1].profile = a;
    assert_int_equal(ct_profile_merge(parts, 2, &sum, NULL), -EINVAL);
    assert_int_equal(ct_profile_merge(parts, 2, &sum, &err), -EINVAL);
    assert_non_null(strstr(err.text, "type 2 is cpu/nanoseconds in profile 2, samples/count in the first one"));
    assert_int_equal(ct_profile_merge(parts, 0, &sum, &err), -EINVAL);
    ct_profile_free(a);
    ct_profile_free(b);
}

static void limits(void **state)
{
    struct ct_profile *a = mapped_at(0x1000, "aa"), *sum;
    struct ct_profile_part parts[] = { { a, 1e30 }, { a, -1 } };
    struct ct_error err;

    a->values.items[0] = INT64_MAX;
    assert_int_equal(ct_profile_merge(parts, 1, &sum, &err), 0);
    assert_int_equal(sum->values.items[0], INT64_MAX);
    ct_profile_free(sum);
    a->values.items[0] = INT64_MIN;
    assert_int_equal(ct_profile_merge(&parts[1], 1, &sum, &err), 0);
    assert_int_equal(sum->values.items[0], INT64_MAX);
    ct_profile_free(sum);
    ct_profile_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_scales),
        cmocka_unit_test(subtracts),
        cmocka_unit_test(wherever_it_was_mapped),
        cmocka_unit_test(does_not_go_together),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, shop_open, shop_close);
}
