/* Writing: `go tool pprof` finds in our bytes what we put in. */
#include <errno.h>

#include "converter/profile/sample.h"
#include "tests/converter/profile/shop.h"

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static int setup_go(void **state)
{
    struct ct_profile *p;

    if (shop_open(state) != 0)
        return -1;
    p = shop_profile();
    shop_write(p, "a.pb.gz");
    ct_profile_free(p);
    return 0;
}

static void raw(void **state)
{
    const char *text;

    if (!shop_has_go())
        skip();
    text = shop_pprof("-raw a.pb.gz");
    has(text, "PeriodType: cpu nanoseconds\nPeriod: 10000000\n");
    has(text, "Duration: 2s\n");
    has(text, "samples/count cpu/nanoseconds\n");
    has(text, "         10  100000000: 1 2 \n");
    has(text, "          5   50000000: 3 2 \n                endpoint:[/a]\n                bytes:[64 bytes]\n");
    has(text, "          1   10000000: 4 3 2 \n");
    has(text, "     1: 0x401010 M=1 leaf program.c:2 s=1\n             work program.c:7 s=5\n");
    has(text, "     4: 0x7f0000001000 M=2 memcpy :0 s=0\n");
    has(text, "1: 0x400000/0x500000/0x1000 /usr/bin/program abcdef0123456789 [FN][FL][LN][IN]\n");
    has(text, "2: 0x7f0000000000/0x7f0000200000/0x0 /usr/lib/libc.so.6 0011223344 [FN]\n");
    has(shop_pprof("-comments a.pb.gz"), "made by a test");
}

static void reports(void **state)
{
    const char *text;

    if (!shop_has_go())
        skip();
    text = shop_pprof("-top a.pb.gz");
    has(text, "File: program\n");
    has(text, "Type: cpu\n");
    has(text, "Showing nodes accounting for 160ms, 100% of 160ms total");
    has(text, "     100ms 62.50% 62.50%      100ms 62.50%  leaf");
    has(text, "      50ms 31.25% 93.75%      160ms   100%  work");
    has(shop_pprof("-top -sample_index=samples a.pb.gz"), "        10 62.50%");
    has(shop_pprof("-tree a.pb.gz"), "memcpy");
    has(shop_pprof("-peek work a.pb.gz"), "100ms 62.50% |   leaf");
    text = shop_pprof("-traces a.pb.gz");
    has(text, "100ms   leaf (inline)");
    has(text, "  endpoint:  /a\n     bytes:  64B\n      50ms   work\n");
    has(shop_pprof("-tags a.pb.gz"), "50.0ms (  100%): /a");
    has(shop_pprof("-top -tagfocus=endpoint=/a a.pb.gz"), "50ms");
    has(shop_pprof("-dot a.pb.gz"), "digraph");
    shop_write_file("program.c", "int leaf(int x)\n{ return x * 2; }\n\n\nint work(int x)\n{ x++;\n return leaf(x); }\n\n"
                    "int main(void)\n{ return work(1); }\n", 94);
    text = shop_pprof("-list work a.pb.gz");
    has(text, "100ms      7: return leaf(x)");
    has(text, "50ms       60ms      6:{ x++;");
    if (system("dot -V >/dev/null 2>&1") == 0)
        has(shop_pprof("-svg -output=a.svg a.pb.gz && cat a.svg"), "</svg>");
}

static void subtracts(void **state)
{
    const char *text;

    if (!shop_has_go())
        skip();
    text = shop_pprof("-top -base a.pb.gz a.pb.gz");
    has(text, "Showing nodes accounting for 0,");
    text = shop_pprof("-top -diff_base a.pb.gz a.pb.gz a.pb.gz");
    has(text, "100ms 62.50% 62.50%      100ms 62.50%  leaf");
}

/* Fails once, then takes all: a failure must not be forgotten. */
static int refuse_once(void *context, const void *bytes, size_t size)
{
    int *calls = context;

    return size && (*calls)++ == 0 ? -EPIPE : 0;
}

/* The main mapping is first whatever came first; the default type is shown; a large profile goes out in pieces. */
static void large(void **state)
{
    struct ct_profile *p = shop_profile();
    int64_t values[] = { 1, 1000 };
    uint32_t stack;
    const char *text;

    p->main_mapping = 1;
    p->default_type = shop_text(p, "samples");
    for (unsigned i = 0; i < 5000; i++) {
        uint64_t pcs[300];
        struct ct_profile_label label;

        for (unsigned k = 0; k < 300; k++)
            pcs[k] = 0x400000 + (i * 2654435761u >> 7) % 4096 + (i ^ k * 40503u) % 4096;
        assert_int_equal(ct_profile_add_pcs(p, pcs, 300, CT_PROFILE_LEAF_RETURN, &stack), 0);
        assert_int_equal(ct_profile_number_label(p, "i", i, NULL, &label), 0);
        assert_int_equal(ct_profile_add_sample(p, stack, values, &label, 1, NULL), 0);
    }
    shop_write(p, "large.pb.gz");
    for (int plain = 0; plain < 2; plain++) {
        int calls = 0;

        assert_int_equal((plain ? ct_profile_write_plain : ct_profile_write)(p, refuse_once, &calls), -EPIPE);
        assert_int_equal(calls, 1);
    }
    ct_profile_free(p);
    p = shop_read("large.pb.gz");
    assert_int_equal(p->samples.count, 5003);
    assert_int_equal(shop_total(p, 0), 5016);
    ct_profile_free(p);
    if (!shop_has_go())
        skip();
    text = shop_pprof("-top -nodecount=1 large.pb.gz");
    has(text, "File: libc.so.6\n");
    has(text, "Type: samples\n");
    has(text, "of 5016 total");
}

static int refuse(void *context, const void *bytes, size_t size)
{
    return -EPIPE;
}

static void sink_fails(void **state)
{
    struct ct_profile *p = shop_profile();

    assert_int_equal(ct_profile_write(p, refuse, NULL), -EPIPE);
    assert_int_equal(ct_profile_write_plain(p, refuse, NULL), -EPIPE);
    ct_profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw),
        cmocka_unit_test(reports),
        cmocka_unit_test(subtracts),
        cmocka_unit_test(large),
        cmocka_unit_test(sink_fails),
    };

    return cmocka_run_group_tests(tests, setup_go, shop_close);
}
