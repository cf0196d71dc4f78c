/* Names: of a program compiled here, with inlined frames, once from the file and then from the cache. */
#include <errno.h>

#include "converter/profile/sample.h"
#include "converter/profile/symbolize.h"
#include "converter/symbols/elf_file.h"
#include "tests/converter/profile/shop.h"

#define BASE UINT64_C(0x555555554000)

static const char source[] =
    "static volatile int x;\n"
    "static inline __attribute__((always_inline)) int twice(int n)\n"
    "{\n"
    "    return n + x;\n"
    "}\n"
    "__attribute__((noinline)) int work(int n)\n"
    "{\n"
    "    return twice(n) * 3;\n"
    "}\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    return work(argc) + 1;\n"
    "}\n"
    "__asm__(\".text\\n.skip 16384, 0x90\\n\");\n";      /* code without lines */

static uint64_t work, main_call;        /* in the file: where work reads x, where main returned to */

static int make_program(void **state)
{
    if (shop_open(state) != 0)
        return -1;
    shop_write_file("program.c", source, sizeof source - 1);
    shop_run("cc -O2 -g -fcf-protection=none -pie -fPIE -Wl,--build-id -o program program.c 2>&1");
    work = strtoull(shop_output("nm program | awk '$3 == \"work\" { print $1 }'"), NULL, 16);
    main_call = strtoull(shop_output("objdump -d program | awk '/call.*<work>/ { getline; sub(\":\", \"\", $1); print $1 }'"),
                         NULL, 16);
    return work && main_call ? 0 : -1;
}

/* Two samples in the program (mapped as it would be), one in a file that is not there, one nowhere. */
static struct ct_profile *make(const char *file, const char *build_id)
{
    struct ct_profile_mapping program = { .start = BASE + 0x1000, .limit = BASE + 0x6000, .offset = 0x1000 };
    struct ct_profile_mapping gone = { .start = 0x7f0000000000, .limit = 0x7f0000010000 };
    uint64_t pcs[] = { BASE + work, BASE + main_call, 0x7f0000000010, 0x1234 };
    struct ct_profile *p;
    uint32_t stack;
    int64_t one = 1;

    assert_int_equal(ct_profile_new(&p), 0);
    assert_int_equal(ct_profile_add_type(p, "samples", "count"), 0);
    program.file = shop_text(p, file);
    program.build_id = shop_text(p, build_id);
    gone.file = shop_text(p, "/nonexistent/libgone.so");
    gone.build_id = shop_text(p, "abcd");
    assert_int_equal(ct_profile_add_mapping(p, &program, NULL), 0);
    assert_int_equal(ct_profile_add_mapping(p, &gone, NULL), 0);
    assert_int_equal(ct_profile_add_pcs(p, pcs, 4, CT_PROFILE_LEAF_EXACT, &stack), 0);
    assert_int_equal(ct_profile_add_sample(p, stack, &one, NULL, 0, NULL), 0);
    return p;
}

static const char *build_id(void)
{
    static char digits[2 * CT_BUILD_ID_MAX + 1];
    struct ct_elf_file *file;

    assert_int_equal(ct_elf_file_open("program", &file), 0);
    for (size_t i = 0; i < file->build_id_len; i++)
        snprintf(digits + 2 * i, 3, "%02x", file->build_id[i]);
    ct_elf_file_close(file);
    return digits;
}

static const char *path(void)
{
    static char at[256];

    assert_non_null(getcwd(at, sizeof at - 16));
    return strcat(at, "/program");
}

/* The name and the line of a location's line. */
static void assert_line(const struct ct_profile *p, uint32_t location, uint32_t at, const char *name, int64_t number)
{
    const struct ct_profile_line *line = &p->lines.items[p->locations.items[location].line + at];

    assert_true(at < p->locations.items[location].line_count);
    assert_string_equal(ct_profile_at(p, p->functions.items[line->function].name), name);
    assert_non_null(strstr(ct_profile_at(p, p->functions.items[line->function].file), "/program.c"));
    assert_int_equal(line->line, number);
}

static void names(void **state)
{
    struct ct_profile *p = make(path(), build_id());
    struct ct_symbolizer *s;

    assert_int_equal(ct_symbolizer_new(0, &s), 0);
    assert_int_equal(ct_symbolize(s, p), 0);
    assert_line(p, 0, 0, "twice", 4);           /* innermost first */
    assert_line(p, 0, 1, "work", 8);
    assert_line(p, 1, 0, "main", 12);           /* the call's line, not the return's */
    assert_int_equal(p->locations.items[2].line_count, 0);
    assert_int_equal(p->locations.items[3].line_count, 0);
    assert_true(p->mappings.items[0].has_functions && p->mappings.items[0].has_filenames);
    assert_true(p->mappings.items[0].has_line_numbers && p->mappings.items[0].has_inline_frames);
    assert_false(p->mappings.items[1].has_functions);
    shop_write(p, "named.pb.gz");
    if (shop_has_go()) {
        const char *text = shop_pprof("-list 'work|main' named.pb.gz");

        assert_non_null(strstr(text, "          1      8:    return twice(n) * 3;"));
        assert_non_null(strstr(text, "          1     12:    return work(argc) + 1;"));
    }
    ct_profile_free(p);
    ct_symbolizer_free(s);
}

/* One location without a line is enough for its mapping not to claim lines. */
static void flags_of_all(void **state)
{
    struct ct_profile *p = make(path(), build_id());
    uint64_t pc = BASE + 0x3000;                /* a symbol without DWARF */
    struct ct_symbolizer *s;
    uint32_t stack;

    assert_int_equal(ct_profile_add_pcs(p, &pc, 1, CT_PROFILE_LEAF_EXACT, &stack), 0);
    assert_int_equal(ct_symbolizer_new(0, &s), 0);
    assert_int_equal(ct_symbolize(s, p), 0);
    assert_line(p, 1, 0, "main", 12);
    assert_true(p->mappings.items[0].has_functions);
    assert_false(p->mappings.items[0].has_filenames);
    assert_false(p->mappings.items[0].has_line_numbers);
    assert_false(p->mappings.items[0].has_inline_frames);
    ct_profile_free(p);
    ct_symbolizer_free(s);
}

/* The second profile costs no look-up; with no room for the cache there are names all the same. */
static void cached(void **state)
{
    struct ct_symbolizer *s;

    assert_int_equal(ct_symbolizer_new(0, &s), 0);
    for (int round = 0; round < 4; round++) {
        struct ct_profile *p = make(path(), build_id());

        if (round == 2)
            ct_symbolizer_limit(s, 20000);      /* a tight one, but enough for a few */
        assert_int_equal(ct_symbolize(s, p), 0);
        assert_line(p, 0, 0, "twice", 4);
        assert_int_equal(ct_symbolizer_lookups(s), 2);
        /* the profile that was named once is not looked at again */
        assert_int_equal(ct_symbolize(s, p), 0);
        assert_int_equal(ct_symbolizer_lookups(s), 2);
        ct_profile_free(p);
    }
    ct_symbolizer_free(s);
}

/* A cache that is too small for what it is asked is emptied again and again, and answers all the same. */
static void small_cache(void **state)
{
    struct ct_symbolizer *s;
    uint64_t lookups = 0;

    assert_int_equal(ct_symbolizer_new(0, &s), 0);
    ct_symbolizer_limit(s, 24000);
    for (unsigned round = 0; round < 40; round++) {
        struct ct_profile *p = make(path(), build_id());
        uint32_t stack;

        for (uint64_t i = 0; i < 20; i++) {
            uint64_t pc = BASE + 0x2000 + round % 20 * 20 + i;

            assert_int_equal(ct_profile_add_pcs(p, &pc, 1, CT_PROFILE_LEAF_EXACT, &stack), 0);
        }
        assert_int_equal(ct_symbolize(s, p), 0);
        assert_line(p, 0, 0, "twice", 4);
        ct_profile_free(p);
        lookups = ct_symbolizer_lookups(s);
    }
    assert_true(lookups > 2 + 20 * 20);         /* it did forget */
    ct_symbolizer_free(s);
}

static void no_room(void **state)
{
    struct ct_profile *p = make(path(), build_id());
    struct ct_symbolizer *s;

    assert_int_equal(ct_symbolizer_new(0, &s), 0);
    ct_symbolizer_limit(s, 100);                /* not even one batch */
    assert_int_equal(ct_symbolize(s, p), -EFBIG);
    assert_int_equal(p->locations.items[0].line_count, 0);
    assert_false(p->mappings.items[0].has_functions);
    ct_symbolizer_limit(s, 1 << 20);
    p->bytes_max = p->bytes;                    /* nor in the profile */
    assert_int_equal(ct_symbolize(s, p), -EFBIG);
    shop_write(p, "whole.pb.gz");
    p->bytes_max = 1 << 20;
    assert_int_equal(ct_symbolize(s, p), 0);
    assert_line(p, 0, 0, "twice", 4);
    ct_profile_free(p);
    ct_symbolizer_free(s);
}

static void other_files(void **state)
{
    static const char *const ids[] = { "0011223344", "", "not hexadecimal", "abc" };
    struct ct_symbolizer *s;

    assert_int_equal(ct_symbolizer_new(0, &s), 0);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct ct_profile *p = make(path(), ids[i]);

        assert_int_equal(ct_symbolize(s, p), 0);
        assert_int_equal(p->locations.items[0].line_count, 0);      /* another program: better no name than a wrong one */
        assert_false(p->mappings.items[0].has_functions);
        ct_profile_free(p);
    }
    ct_symbolizer_free(s);
    ct_symbolizer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(flags_of_all),
        cmocka_unit_test(cached),
        cmocka_unit_test(small_cache),
        cmocka_unit_test(no_room),
        cmocka_unit_test(other_files),
    };

    return cmocka_run_group_tests(tests, make_program, shop_close);
}
