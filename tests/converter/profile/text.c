/* Texts: as Go writes them, and `go tool pprof` reads the numbers back. */
#include <errno.h>

#include "converter/profile/sample.h"
#include "converter/profile/text.h"
#include "tests/converter/profile/shop.h"

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static void add(struct ct_profile *p, uint64_t pc, const int64_t *values)
{
    uint64_t pcs[] = { pc, 0x401081 };
    uint32_t stack;

    assert_int_equal(ct_profile_add_pcs(p, pcs, pc ? 2 : 0, CT_PROFILE_LEAF_RETURN, &stack), 0);
    assert_int_equal(ct_profile_add_sample(p, stack, values, NULL, 0, NULL), 0);
}

/* Types and the mappings of shop_profile. */
static struct ct_profile *empty(const char *const types[][2])
{
    struct ct_profile *like = shop_profile(), *p;

    assert_int_equal(ct_profile_new(&p), 0);
    for (int i = 0; types[i][0]; i++)
        assert_int_equal(ct_profile_add_type(p, types[i][0], types[i][1]), 0);
    for (uint32_t i = 0; i < like->mappings.count; i++) {
        struct ct_profile_mapping mapping = like->mappings.items[i];

        mapping.file = shop_text(p, ct_profile_at(like, mapping.file));
        mapping.build_id = shop_text(p, ct_profile_at(like, mapping.build_id));
        assert_int_equal(ct_profile_add_mapping(p, &mapping, NULL), 0);
    }
    ct_profile_free(like);
    return p;
}

static const char *const heap_types[][2] = { { "alloc_objects", "count" }, { "alloc_space", "bytes" },
                                             { "inuse_objects", "count" }, { "inuse_space", "bytes" }, { NULL } };
static const char *const lock_types[][2] = { { "contentions", "count" }, { "delay", "nanoseconds" }, { NULL } };
static const char *const thread_types[][2] = { { "threads", "count" }, { NULL } };

/* The text, with a server's comment and the mappings behind it, also in the file. */
static char *finish(struct ct_profile *p, struct shop_bytes *bytes, const char *name)
{
    static const char comment[] = "# MaxRSS = 12345\n";

    assert_int_equal(shop_sink(bytes, comment, strlen(comment)), 0);
    assert_int_equal(ct_profile_text_mappings(p, shop_sink, bytes), 0);
    shop_write_file(name, bytes->at, bytes->size);
    assert_int_equal(shop_sink(bytes, "", 1), 0);
    ct_profile_free(p);
    return (char *)bytes->at;
}

static void heap(void **state)
{
    struct ct_profile *p = empty(heap_types);
    struct shop_bytes bytes = { 0 };
    char *text;

    add(p, 0x401011, (int64_t[]){ 10, 1000, 4, 400 });
    add(p, 0x401031, (int64_t[]){ 7, 70000, 7, 70000 });
    add(p, 0, (int64_t[]){ 1, 1, 0, 0 });
    assert_int_equal(ct_profile_text_heap(p, 0, shop_sink, &bytes), 0);
    text = finish(p, &bytes, "heap.txt");
    has(text, "heap profile: 11: 70400 [18: 71001] @ heap/2\n"
              "7: 70000 [7: 70000] @ 0x401031 0x401081\n#\t0x401030\n#\t0x401080\n\n"
              "4: 400 [10: 1000] @ 0x401011 0x401081\n");
    free(text);
    if (!shop_has_go())
        skip();
    text = (char *)shop_pprof("-raw heap.txt");
    has(text, "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes");
    has(text, "         10       1000          4        400: ");
    has(text, "          7      70000          7      70000: ");
    has(text, ": 0x401010 M=1 \n");
    has(text, "1: 0x400000/0x500000/0x1000 /usr/bin/program abcdef0123456789 \n");
    has(shop_pprof("-top heap.txt"), "Type: inuse_space\n");
}

/* Raw samples: the reader scales. 3 of 16 bytes at a rate of 512 KiB were 98305. */
static void raw_heap(void **state)
{
    struct ct_profile *p = empty(heap_types);
    struct shop_bytes bytes = { 0 };
    char *text;

    add(p, 0x401011, (int64_t[]){ 3, 48, 3, 48 });
    assert_int_equal(ct_profile_text_heap(p, 524288, shop_sink, &bytes), 0);
    text = finish(p, &bytes, "raw.txt");
    has(text, "heap profile: 3: 48 [3: 49] @ heap/1048576\n3: 48 [3: 48] @ 0x401011 0x401081\n");
    free(text);
    if (!shop_has_go())
        skip();
    has(shop_pprof("-raw raw.txt"), "      98305    1572888      98305    1572888: ");
}

static void count(void **state)
{
    struct ct_profile *p = empty(thread_types), *named = shop_profile();
    struct ct_profile_label label;
    struct shop_bytes bytes = { 0 };
    int64_t two = 2;
    char *text;

    add(p, 0x401011, (int64_t[]){ 1 });
    add(p, 0x401031, (int64_t[]){ 9 });
    add(p, 0, (int64_t[]){ 5 });
    assert_int_equal(ct_profile_text_label(p, "job", "a \"b\"\n", &label), 0);
    assert_int_equal(ct_profile_add_sample(p, 0, &two, &label, 1, NULL), 0);
    assert_int_equal(ct_profile_text_count(p, "my threads", shop_sink, &bytes), 0);
    text = finish(p, &bytes, "threads.txt");
    assert_memory_equal(text, "my_threads profile: total 17\n9 @ 0x401031 0x401081\n#\t0x401030\n", 61);
    has(text, "# without a stack: 5 @\n");
    has(text, "2 @ 0x401011 0x401081\n# labels: {\"job\":\"a \\\"b\\\"?\"}\n");
    free(text);
    bytes = (struct shop_bytes){ 0 };
    assert_int_equal(ct_profile_text_count(named, "named", shop_sink, &bytes), 0);
    text = finish(named, &bytes, "named.txt");
    has(text, "10 @ 0x401011 0x401081\n#\t0x401010\tleaf\tprogram.c:2\n#\t0x401010\twork\tprogram.c:7\n"
              "#\t0x401080\tmain\tprogram.c:10\n\n");
    has(text, "# labels: {\"endpoint\":\"/a\", \"bytes\":64}\n");
    free(text);
    if (!shop_has_go())
        skip();
    text = (char *)shop_pprof("-raw threads.txt");
    has(text, "my_threads/count\n          9: ");
    has(text, "          3: ");                 /* it knows no labels here, and adds */
    has(text, "0x401030 M=1");
    has(shop_pprof("-raw named.txt"), "named/count\n         10: ");
}

/* A location of one or no function, which begins `into` bytes before it; into 0: nobody knows. */
static uint32_t place(struct ct_profile *p, uint64_t address, const char *name, const char *file, uint64_t into)
{
    struct ct_profile_function function = { .name = shop_text(p, name), .file = shop_text(p, file) };
    struct ct_profile_line line = { .line = 7 };
    struct ct_profile_location location = { .address = address, .mapping = CT_PROFILE_NONE, .line_count = name[0] != '\0',
                                            .entry = into ? address - into : 0 };
    uint32_t row;

    assert_int_equal(ct_profile_add_function(p, &function, &line.function), 0);
    assert_int_equal(ct_profile_add_location(p, &location, &line, &row), 0);
    return row;
}

/* Neighbours that go on are in line, eight to a tab, and one that does not parts them. */
static void columns(void **state)
{
    struct ct_profile *p = empty(thread_types);
    uint32_t at[] = {
        place(p, 0x401000, "f", "a.c", 0x10), place(p, 0x7fff00401000, "a_name_of_23_characters", "b.c", 0xfff),
        place(p, 0x402000, "ünï", "c.c", 0), place(p, 0x403000, "", "", 0), place(p, 0x404000, "seven", "d.c", 0xa),
        place(p, 0x405000, "nowhere_and_long", "", 0x20), place(p, 0x406000, "g", "e.c", 1),
    };
    struct shop_bytes bytes = { 0 };
    uint32_t stack;
    int64_t one = 1;
    char *text;

    assert_int_equal(ct_profile_add_stack(p, at, 7, &stack), 0);
    assert_int_equal(ct_profile_add_sample(p, stack, &one, NULL, 0, NULL), 0);
    assert_int_equal(ct_profile_text_count(p, "x", shop_sink, &bytes), 0);
    text = finish(p, &bytes, "columns.txt");
    has(text, "\n#\t0x401000\tf+0x10\t\t\t\ta.c:7\n#\t0x7fff00401000\ta_name_of_23_characters+0xfff\tb.c:7\n"
              "#\t0x402000\tünï\t\t\t\tc.c:7\n#\t0x403000\n#\t0x404000\tseven+0xa\td.c:7\n"
              "#\t0x405000\tnowhere_and_long+0x20\n#\t0x406000\tg+0x1\te.c:7\n\n");
    free(text);
}

static void contention(void **state)
{
    for (int which = CT_PROFILE_BLOCK; which <= CT_PROFILE_MUTEX; which++) {
        struct ct_profile *p = empty(lock_types);
        struct shop_bytes bytes = { 0 };
        char *text;

        add(p, 0x401011, (int64_t[]){ 3, 5000000 });
        add(p, 0x401031, (int64_t[]){ 1, INT64_C(9000000000) });
        assert_int_equal(ct_profile_text_contention(p, which, shop_sink, &bytes), 0);
        text = finish(p, &bytes, "lock.txt");
        has(text, which == CT_PROFILE_BLOCK ? "--- contention:\ncycles/second=1000000000\n9000000000 1 @ 0x401031 0x401081\n"
                                            : "--- mutex:\ncycles/second=1000000000\nsampling period=1\n9000000000 1 @");
        free(text);
        if (!shop_has_go())
            skip();
        text = (char *)shop_pprof("-raw lock.txt");
        has(text, "contentions/count delay/nanoseconds\n          1 9000000000: ");
        has(text, "          3    5000000: ");
        has(text, "0x401010 M=1");
    }
}

/* Names of any bytes and any length, stacks of any depth: pprof must still read the rest. */
static void hostile_names(void **state)
{
    struct ct_profile *p = empty(thread_types);
    struct shop_bytes bytes = { 0 };
    struct ct_profile_function function = { 0 };
    struct ct_profile_line line = { 0 };
    char *name = malloc(100001), *text;
    uint64_t *pcs = calloc(60000, sizeof *pcs);
    uint32_t stack;
    int64_t one = 1;

    memset(name, 'x', 100000);
    memcpy(name, "evil\n9 @ 0x1\n", 13);
    name[100000] = 0;
    add(p, 0x401011, (int64_t[]){ 1 });
    function.name = shop_text(p, name);
    assert_int_equal(ct_profile_add_function(p, &function, &line.function), 0);
    assert_int_equal(ct_profile_set_lines(p, 0, &line, 1), 0);
    for (int i = 0; i < 60000; i++)
        pcs[i] = 0x401000 + (uint64_t)i % 50;
    assert_int_equal(ct_profile_add_pcs(p, pcs, 60000, CT_PROFILE_LEAF_RETURN, &stack), 0);
    assert_int_equal(ct_profile_add_sample(p, stack, &one, NULL, 0, NULL), 0);
    assert_int_equal(ct_profile_text_count(p, "threads", shop_sink, &bytes), 0);
    text = finish(p, &bytes, "evil.txt");
    has(text, "evil?9 @ 0x1?xxx");
    has(text, "# the record has only the first 2048 of these 60000 addresses\n");
    free(text);
    free(name);
    free(pcs);
    if (!shop_has_go())
        skip();
    has(shop_pprof("-raw evil.txt"), "threads/count\n          1: 1 2 \n          1: ");
}

static int refuse(void *context, const void *bytes, size_t size)
{
    return -EPIPE;
}

static void refusals(void **state)
{
    struct ct_profile *p = shop_profile();
    struct shop_bytes bytes = { 0 };

    assert_int_equal(ct_profile_text_heap(p, 0, shop_sink, &bytes), -EINVAL);
    assert_int_equal(ct_profile_text_contention(p, CT_PROFILE_BLOCK, shop_sink, &bytes), -EINVAL);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(ct_profile_text_count(p, "x", refuse, NULL), -EPIPE);
    assert_int_equal(ct_profile_text_mappings(p, refuse, NULL), -EPIPE);
    ct_profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap),
        cmocka_unit_test(raw_heap),
        cmocka_unit_test(count),
        cmocka_unit_test(columns),
        cmocka_unit_test(contention),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(refusals),
    };

    return cmocka_run_group_tests(tests, shop_open, shop_close);
}
