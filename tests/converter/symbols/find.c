/* Which file is believed: stripped, separate, deleted, replaced, packed, damaged ones. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/converter/symbols/workshop.h"

static struct ct_symbols *symbols;
static char explanation[512];

/* "function:line" of the outermost frame at the start of `address`, "" when nothing is known. */
static const char *name_at(const struct ct_symbol_module *module, uint64_t address)
{
    static char text[128];
    struct ct_symbol_frame frames[8];
    unsigned count = 99;

    ct_symbols_free(symbols); /* files change between calls; what is open stays as it was */
    assert_int_equal(ct_symbols_new(&symbols), 0);
    assert_int_equal(ct_symbols_resolve(symbols, module->path, module->build_id,
                                        module->build_id_len, address, frames, 8, &count),
                     0);
    text[0] = '\0';
    if (count)
        snprintf(text, sizeof(text), "%s:%u", frames[count - 1].function, frames[count - 1].line);
    snprintf(explanation, sizeof(explanation), "%s", ct_symbols_explain(symbols, module));
    return text;
}

static void build(const char *name, const char *flags)
{
    run("cc -O2 -g %s -Wl,--build-id -rdynamic -o %s program.c 2>cc.err", flags, name);
}

static void stripped(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t hidden, shown;

    build("full", "");
    hidden = address_of("full", "hidden");
    shown = address_of("full", "shown");
    module = module_at("full", id);
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    assert_string_equal(explanation, "DWARF from full");

    run("strip -g -o lineless full");
    module = module_at("lineless", id);
    assert_string_equal(name_at(&module, hidden), "hidden:0");
    assert_string_equal(explanation, "symbols without lines from lineless");

    run("strip -o stripped full");
    module = module_at("stripped", id);
    assert_string_equal(name_at(&module, shown), "shown:0");
    assert_string_equal(name_at(&module, hidden), "");
    assert_string_equal(explanation, "exported symbols only from stripped");
}

/* Between the exported functions of a stripped file lies code that has no name. */
static void label_without_size(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t label;

    run("printf '.globl label\\n.text\\nlabel: nop\\nnop\\nret\\n' >label.s");
    run("cc -shared -nostdlib -Wl,--build-id -o label.so label.s");
    label = address_of("label.so", "label");
    module = module_at("label.so", id);
    assert_string_equal(name_at(&module, label + 1), "label:0");
    run("strip label.so");
    module = module_at("label.so", id);
    assert_string_equal(name_at(&module, label + 1), "");
}

/* The name without underscores is what people know a function by. */
static void alias(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];

    run("printf 'int __inner_2(int x) { return x * 3; }\\n"
        "extern __typeof(__inner_2) plain __attribute__((alias(\"__inner_2\")));\\n' >alias.c");
    run("cc -g -O2 -shared -fPIC -Wl,--build-id -o alias.so alias.c");
    module = module_at("alias.so", id);
    assert_string_equal(name_at(&module, address_of("alias.so", "__inner_2")), "plain:1");
}

static void separate_debug_file(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t hidden;

    build("apart", "");
    hidden = address_of("apart", "hidden");
    run("objcopy --only-keep-debug apart apart.debug");
    run("strip apart && objcopy --add-gnu-debuglink=apart.debug apart");
    module = module_at("apart", id);
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    assert_string_equal(explanation, "DWARF from ./apart.debug");
    run("mkdir -p .debug && mv apart.debug .debug/");
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    assert_string_equal(explanation, "DWARF from ./.debug/apart.debug");

    /* The debug file of another build under the right name. */
    run("cc -O1 -g -Wl,--build-id -o other program.c 2>cc.err");
    run("objcopy --only-keep-debug other .debug/apart.debug");
    assert_string_equal(name_at(&module, hidden), "");

    /* Without build IDs the checksum decides. */
    run("cc -O2 -g -Wl,--build-id=none -o plain program.c 2>cc.err");
    hidden = address_of("plain", "hidden");
    run("objcopy --only-keep-debug plain plain.debug");
    run("strip plain && objcopy --add-gnu-debuglink=plain.debug plain");
    module = module_at("plain", id);
    assert_int_equal(module.build_id_len, 0);
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    run("printf x >>plain.debug");
    assert_string_equal(name_at(&module, hidden), "");
}

static void deleted_and_replaced(void **state)
{
    struct ct_symbol_module module, renamed;
    uint8_t id[CT_BUILD_ID_MAX], none[1] = { 0 };
    uint64_t hidden;

    build("moving", "");
    hidden = address_of("moving", "hidden");
    module = module_at("moving", id);
    renamed = module;
    renamed.path = "moving (deleted)";
    assert_string_equal(name_at(&renamed, hidden), "hidden:15");

    /* Built again with the function at the same place, but it is not the file that ran. */
    run("sed 's/hidden/wronged/' program.c >wrong.c");
    run("cc -O2 -g -Wl,--build-id -rdynamic -o moving wrong.c 2>cc.err");
    assert_string_equal(name_at(&module, hidden), "");
    assert_string_equal(explanation,
                        "moving has another build ID than the traced one, and no debug "
                        "file was found");
    /* Nor is it when the build ID of what ran is not known. */
    module.build_id = none;
    module.build_id_len = 0;
    assert_string_equal(name_at(&module, hidden), "");

    run("rm moving");
    assert_string_equal(name_at(&renamed, hidden), "");
    assert_string_equal(explanation, "moving (deleted) is not there, and no debug file was found");
}

/* What Fedora leaves in stripped programs. */
static void minidebuginfo(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t hidden;

    if (system("xz --version >/dev/null 2>&1") != 0)
        skip();
    build("mini", "");
    hidden = address_of("mini", "hidden");
    run("objcopy -S --keep-symbol=hidden mini mini_symbols && xz -f mini_symbols");
    run("strip mini && objcopy --add-section .gnu_debugdata=mini_symbols.xz mini");
    module = module_at("mini", id);
    assert_string_equal(name_at(&module, hidden), "hidden:0");
    assert_string_equal(explanation, "symbols of .gnu_debugdata from mini");
    run("objcopy -R .gnu_debugdata mini && head -c 200 mini_symbols.xz >cut.xz");
    run("objcopy --add-section .gnu_debugdata=cut.xz mini");
    assert_string_equal(name_at(&module, hidden), "");
}

/* Neither opened nor waited for. */
static void not_elf(void **state)
{
    static const char *const paths[] = { "fifo", "/dev/zero", "/", "text", "empty", "", "[heap]" };

    assert_int_equal(mkfifo("fifo", 0600), 0);
    run("echo hello >text && : >empty");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct ct_symbol_module module = { .path = paths[i] };

        assert_string_equal(name_at(&module, 0x1000), "");
    }
}

/*
 * A split unit whose file is gone, or is no file: libdw would wait for somebody to write into it.
 */
static void split_file_is_a_fifo(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t hidden;

    run("cc -O2 -g -gsplit-dwarf -Wl,--build-id -c -o parted.o program.c 2>cc.err");
    run("cc -Wl,--build-id -o parted parted.o");
    hidden = address_of("parted", "hidden");
    module = module_at("parted", id);
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    run("rm parted.dwo");
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    assert_int_equal(mkfifo("parted.dwo", 0600), 0);
    alarm(20);
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    alarm(0);
}

/* Debian packs what its debug files have in common into one more. */
static void shared_by_dwz(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t hidden;

    if (system("dwz --version >/dev/null 2>&1") != 0)
        skip();
    build("one", "");
    run("sed 's/hidden/wronged/' program.c >two.c");
    run("cc -O2 -g -Wl,--build-id -rdynamic -o two two.c 2>cc.err");
    run("dwz -m shared.debug one two");
    hidden = address_of("one", "hidden");
    module = module_at("one", id);
    assert_string_equal(name_at(&module, hidden), "hidden:15");
    run("rm shared.debug");
    assert_string_equal(name_at(&module, hidden), "hidden:0");
    assert_int_equal(mkfifo("shared.debug", 0600), 0);
    alarm(20);
    assert_string_equal(name_at(&module, hidden), "hidden:0");
    alarm(0);
}

static void refuses_nonsense(void **state)
{
    struct ct_symbol_module module = { .path = "text", .build_id_len = CT_BUILD_ID_MAX + 1 };
    struct ct_symbol_frame frame;
    unsigned count = 7;

    ct_symbols_free(symbols);
    assert_int_equal(ct_symbols_new_flags(0x80, &symbols), -EINVAL);
    assert_int_equal(ct_symbols_new(&symbols), 0);
    assert_int_equal(ct_symbols_resolve_module(symbols, &module, 1, &frame, 1, &count), -EINVAL);
    module.build_id_len = 0;
    assert_int_equal(ct_symbols_resolve_module(symbols, &module, 1, &frame, 0, &count), -EINVAL);
    assert_int_equal(ct_symbols_resolve_module(symbols, NULL, 1, &frame, 1, &count), -EINVAL);
    assert_int_equal(count, 7);
}

static void file_addresses(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t vaddr = 0, hidden;

    build("mapped", "-no-pie");
    module = module_at("mapped", id);
    hidden = address_of("mapped", "hidden");
    ct_symbols_free(symbols);
    assert_int_equal(ct_symbols_new(&symbols), 0);
    /* As a program header says it: file offset 0x1000 is at 0x401000 in a non-PIE. */
    assert_int_equal(ct_symbols_file_vaddr(symbols, &module, 0x7f0000001000, 0x1000,
                                           0x7f0000001000 + (hidden - 0x401000), &vaddr),
                     0);
    assert_int_equal(vaddr, hidden);
    assert_int_equal(ct_symbols_file_vaddr(symbols, &module, 0x1000, 0, 0x900000000, &vaddr),
                     -ERANGE);
    assert_int_equal(ct_symbols_file_vaddr(symbols, &module, 0x1000, 0, 0xfff, &vaddr), -ERANGE);
    module.path = "nowhere";
    assert_int_equal(ct_symbols_file_vaddr(symbols, &module, 0x1000, 0, 0x1001, &vaddr), -ENOENT);
}

/* More modules than are kept open; each still answers, and descriptors do not pile up. */
static void many_modules(void **state)
{
    uint8_t id[CT_BUILD_ID_MAX];
    struct ct_symbol_frame frame;
    uint64_t hidden;
    unsigned count;
    char path[32];

    build("original", "");
    hidden = address_of("original", "hidden");
    ct_symbols_free(symbols);
    assert_int_equal(ct_symbols_new(&symbols), 0);
    for (int round = 0; round < 200; round++) {
        struct ct_symbol_module module;

        snprintf(path, sizeof(path), "copy%d", round % 100);
        if (round < 100)
            run("cp original %s", path);
        module = module_at(path, id);
        assert_int_equal(ct_symbols_resolve_module(symbols, &module, hidden, &frame, 1, &count), 0);
        assert_int_equal(count, 1);
        assert_string_equal(frame.function, "hidden");
    }
    assert_int_equal(fcntl(90, F_GETFD), -1);
    ct_symbols_free(symbols);
    symbols = NULL;
}

/* Files cut and bitten everywhere: any answer will do, a crash will not. */
static void damaged(void **state)
{
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX], bytes[65536], bitten[65536];
    FILE *file;
    size_t size;

    build("whole", "-gdwarf-5");
    module = module_at("whole", id);
    file = fopen("whole", "r");
    assert_non_null(file);
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    srand(7);
    module.path = "bitten";
    for (int i = 0; i < 300; i++) {
        size_t kept = i % 3 == 0 ? (size_t)rand() % size : size;

        memcpy(bitten, bytes, size);
        for (int bites = i % 3 == 0 ? 0 : 1 << i % 10; bites > 0; bites--)
            bitten[0x400 + (size_t)rand() % (size - 0x400)] = (uint8_t)(rand() >> 4);
        file = fopen("bitten", "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bitten, 1, kept, file), kept);
        fclose(file);
        for (uint64_t address = 0x1000; address < 0x1300; address += 0x35)
            name_at(&module, address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stripped),
        cmocka_unit_test(label_without_size),
        cmocka_unit_test(alias),
        cmocka_unit_test(separate_debug_file),
        cmocka_unit_test(deleted_and_replaced),
        cmocka_unit_test(minidebuginfo),
        cmocka_unit_test(not_elf),
        cmocka_unit_test(split_file_is_a_fifo),
        cmocka_unit_test(shared_by_dwz),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(file_addresses),
        cmocka_unit_test(many_modules),
        cmocka_unit_test(damaged),
    };
    int failed = cmocka_run_group_tests(tests, workshop_open, workshop_close);

    ct_symbols_free(symbols);
    return failed;
}
