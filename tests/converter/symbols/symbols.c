/* The resolver against addr2line, instruction by instruction, in many kinds of DWARF. */
#include <time.h>

#include "tests/converter/symbols/workshop.h"

#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"

/* Writes what addr2line -afip writes. */
static int write_frames(void *context, uint64_t vaddr, const struct ct_symbol_frame *frames,
                        unsigned count)
{
    FILE *file = context;

    fprintf(file, "0x%016llx: ", (unsigned long long)vaddr);
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "%s%s at %s:%u\n", i ? " (inlined by) " : "", frames[i].function,
                frames[i].file ? frames[i].file : "??", frames[i].line);
    if (!count)
        fprintf(file, "?? ??:0\n");
    return 0;
}

static uint64_t *read_addresses(const char *command, size_t *ret_count)
{
    FILE *pipe = popen(command, "r");
    uint64_t *addresses = NULL;
    unsigned long long address;
    size_t count = 0;

    assert_non_null(pipe);
    while (fscanf(pipe, "%llx", &address) == 1) {
        addresses = reallocarray(addresses, count + 1, sizeof(*addresses));
        assert_non_null(addresses);
        addresses[count++] = address;
    }
    pclose(pipe);
    *ret_count = count;
    return addresses;
}

/*
 * Every instruction of main, shown and hidden: names, files, lines and inlining are the same.
 * Not the padding between functions: addr2line gives it to the function before, we to nobody.
 */
static void compare(const char *flags)
{
    static const char instructions[] =
        "objdump -d --no-show-raw-insn program | awk '/^[0-9a-f]+ <(main|shown|hidden)/ { on = 1 }"
        " /^$/ { on = 0 } on && /^ / && !/nop|xchg +%ax,%ax/ { sub(\":\", \"\", $1); print $1 }'";
    struct ct_symbols *symbols;
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t *addresses;
    size_t count;
    FILE *ours;

    run("cc %s -Wl,--build-id -o program program.c 2>cc.err", flags);
    module = module_at("program", id);
    addresses = read_addresses(instructions, &count);
    assert_true(count > 40);
    run("%s | addr2line -afip -e program | sed 's/ (discriminator.*//' >theirs", instructions);

    assert_int_equal(ct_symbols_new_flags(0, &symbols), 0);
    ours = fopen("ours", "w");
    assert_non_null(ours);
    assert_int_equal(
        ct_symbols_resolve_batch(symbols, &module, addresses, count, write_frames, ours), 0);
    fclose(ours);
    /* addr2line sorts nothing; neither has a line twice. */
    run("sort theirs >a; sort ours >b; diff a b >difference || { head -20 difference >&2; false; "
        "}");
    run("grep -q 'inlined by' ours");
    ct_symbols_free(symbols);
    free(addresses);
}

static void agrees_with_addr2line(void **state)
{
    compare("-O2 -g -gdwarf-4");
    compare("-O2 -g -gdwarf-5");
    compare("-O2 -g -gdwarf-4 -gz");
    compare("-O2 -g -gdwarf-4 -gz=zlib-gnu");
    compare("-O2 -g -gdwarf-4 -no-pie -ffunction-sections -Wl,--gc-sections");
    compare("-O3 -g -gdwarf-4 -fno-reorder-blocks-and-partition -flto");
}

/* binutils cannot: the answer must be that of the same code without -gsplit-dwarf. */
static void split_dwarf(void **state)
{
    static const char *const flags[] = { "-gdwarf-4", "-gdwarf-5", "-gdwarf-4 -gsplit-dwarf",
                                         "-gdwarf-5 -gsplit-dwarf" };
    char texts[4][32 * 1024];

    for (int i = 0; i < 4; i++) {
        struct ct_symbol_module module;
        struct ct_symbols *symbols;
        uint8_t id[CT_BUILD_ID_MAX];
        uint64_t addresses[120];
        FILE *file = fmemopen(texts[i], sizeof(texts[i]), "w");

        assert_non_null(file);
        run("cc -O2 -g %s -Wl,--build-id -o split program.c 2>cc.err", flags[i]);
        module = module_at("split", id);
        addresses[0] = address_of("split", "hidden");
        for (int at = 1; at < 120; at++)
            addresses[at] = addresses[0] + (uint64_t)at;
        assert_int_equal(ct_symbols_new_flags(0, &symbols), 0);
        assert_int_equal(
            ct_symbols_resolve_batch(symbols, &module, addresses, 120, write_frames, file), 0);
        fclose(file);
        ct_symbols_free(symbols);
    }
    assert_non_null(strstr(texts[0], "square at "));
    assert_non_null(strstr(texts[0], "(inlined by) hidden at "));
    for (int i = 1; i < 4; i++)
        assert_string_equal(texts[i], texts[0]);
}

static int count_frames(void *context, uint64_t vaddr, const struct ct_symbol_frame *frames,
                        unsigned count)
{
    unsigned *named = context;

    named[0]++;
    named[1] += count != 0;
    return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/* Seconds of our own CPU time: what else the machine does is no fault of ours. */
static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* An exported function, and ten thousand addresses within a second. */
static void libc_in_a_batch(void **state)
{
    struct ct_symbol_frame frame;
    struct ct_symbol_module module;
    struct ct_symbols *symbols;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t addresses[10000], text = 0;
    unsigned count, named[2] = { 0 };
    double start = now();
    FILE *pipe;

    if (access(LIBC, R_OK) != 0)
        skip();
    module = module_at(LIBC, id);
    assert_int_equal(ct_symbols_new(&symbols), 0);
    pipe = popen("nm -D " LIBC " | awk '$3 ~ /^getenv@@/ { print $1 }'", "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%lx", &text), 1);
    pclose(pipe);
    assert_int_equal(ct_symbols_resolve_module(symbols, &module, text, &frame, 1, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(frame.function, "getenv");
    for (unsigned i = 0; i < 10000; i++)
        addresses[i] = (text & ~UINT64_C(0xfff)) + (i * 7919) % 900000;
    assert_int_equal(
        ct_symbols_resolve_batch(symbols, &module, addresses, 10000, count_frames, named), 0);
    assert_int_equal(named[0], 10000);
    assert_true(named[1] > 5000);
    print_message("libc: %s: %u of 10000 named, %.0f ms\n", ct_symbols_explain(symbols, &module),
                  named[1], (now() - start) * 1e3);
    assert_true(now() - start < (SANITIZED ? 10 : 1));
    ct_symbols_free(symbols);
}

static void vdso_and_plt(void **state)
{
    struct ct_symbol_frame frame;
    struct ct_symbols *symbols;
    struct ct_elf_file *vdso;
    struct ct_symbol_module module;
    uint8_t id[CT_BUILD_ID_MAX];
    uint64_t at = 0;
    unsigned count;
    GElf_Shdr header;
    Elf_Scn *section;
    GElf_Sym symbol;

    assert_int_equal(ct_symbols_new(&symbols), 0);
    assert_int_equal(ct_elf_file_open_vdso(&vdso), 0);
    section = ct_elf_file_section(vdso, ".dynsym", &header);
    assert_non_null(section);
    for (int i = 1; gelf_getsym(elf_getdata(section, NULL), i, &symbol); i++)
        if (strcmp(elf_strptr(vdso->elf, header.sh_link, symbol.st_name), "__vdso_clock_gettime") ==
            0)
            at = symbol.st_value;
    module = (struct ct_symbol_module){ "[vdso]", vdso->build_id, vdso->build_id_len };
    if (at) {
        assert_int_equal(ct_symbols_resolve_module(symbols, &module, at, &frame, 1, &count), 0);
        assert_int_equal(count, 1);
        assert_non_null(strstr(frame.function, "clock_gettime"));
    }
    ct_elf_file_close(vdso);

    run("cc -O2 -Wl,--build-id,-z,lazy -o stubs program.c 2>cc.err && strip stubs");
    module = module_at("stubs", id);
    at = 0;
    {
        FILE *pipe = popen("objdump -d stubs | awk '/<rand@plt>:$/ { print $1 }'", "r");

        assert_non_null(pipe);
        assert_int_equal(fscanf(pipe, "%lx", &at), 1);
        pclose(pipe);
    }
    assert_int_equal(ct_symbols_resolve_module(symbols, &module, at + 4, &frame, 1, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(frame.function, "rand@plt");
    ct_symbols_free(symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_addr2line),
        cmocka_unit_test(split_dwarf),
        cmocka_unit_test(libc_in_a_batch),
        cmocka_unit_test(vdso_and_plt),
    };

    return cmocka_run_group_tests(tests, workshop_open, workshop_close);
}
