/* Tests the reader of call frame information: instructions, hostile bytes, libdw as oracle. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/cfi.h"

enum { PAGE = 4096, ROOM = 2048, CODE = 0x100000 };

/* Bytes that end where a page begins that must not be read. */
static unsigned char *guard;

static int map_guard(void **state)
{
    unsigned char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                -1, 0);

    (void)state;
    if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE))
        return -1;
    guard = pages + PAGE;
    return 0;
}

/* A section under construction. */
struct section {
    unsigned char bytes[ROOM];
    size_t size;
};

static void put(struct section *section, uint64_t value, unsigned size)
{
    assert_true(section->size + size <= ROOM);
    for (unsigned i = 0; i < size; i++)
        section->bytes[section->size++] = (unsigned char)(value >> 8 * i);
}

static void put_bytes(struct section *section, const void *bytes, size_t size)
{
    assert_true(section->size + size <= ROOM);
    memcpy(section->bytes + section->size, bytes, size);
    section->size += size;
}

/*
 * A CIE as compilers make them (code alignment 1, data alignment -8, cfa = sp + 8), then an FDE of
 * 256 bytes of code.
 */
static size_t put_frame(struct section *section, const char *augmentation, const void *program,
                        size_t size)
{
    static const unsigned char cie_program[] = { 0x0c, 7, 8, 0x80 | 16, 1 };
    size_t cie = section->size, letters = strlen(augmentation) + 1;

    put(section, 4 + 1 + letters + 3 + 2 + sizeof(cie_program), 4);
    put(section, 0, 4);
    put(section, 1, 1);
    put_bytes(section, augmentation, letters);
    put(section, 1, 1);
    put(section, 0x78, 1);
    put(section, 16, 1);
    put(section, 1, 1);    /* one byte of augmentation data: the pointers' encoding */
    put(section, 0x03, 1); /* udata4, absolute */
    put_bytes(section, cie_program, sizeof(cie_program));

    size_t fde = section->size;

    put(section, 4 + 4 + 4 + 1 + size, 4);
    put(section, section->size - cie, 4);
    put(section, CODE, 4);
    put(section, 256, 4);
    put(section, 0, 1);
    put_bytes(section, program, size);
    return fde;
}

/* Places the section so that it ends at the guard page, and reads the FDE at `fde`. */
static int read_placed(const struct section *section, size_t fde, uintptr_t pc,
                       struct ct_cfi_rule *ret)
{
    unsigned char *start = guard - section->size;
    struct ct_cfi_span span = { (uintptr_t)start, (uintptr_t)guard };

    memcpy(start, section->bytes, section->size);
    return ct_cfi_read(&span, (uintptr_t)start + fde, pc, ret);
}

static int run(const void *program, size_t size, uintptr_t pc, struct ct_cfi_rule *ret)
{
    struct section section = { .size = 0 };
    size_t fde = put_frame(&section, "zR", program, size);

    return read_placed(&section, fde, pc, ret);
}

#define PROGRAM(...)                                                                               \
    (const unsigned char[]){ __VA_ARGS__ }, sizeof((const unsigned char[]){ __VA_ARGS__ })

struct example {
    const char *what;
    const unsigned char *program;
    size_t size;
    int at; /* the pc, from the FDE's start */
    int result;
    struct ct_cfi_rule rule;
};

#define CFA(base_, offset_) .base = CT_CFI_##base_, .offset = (offset_)
#define FP_AT(offset_)      .fp = CT_CFI_FP_AT_CFA, .fp_offset = (offset_)

/* clang-format off */
static const struct example examples[] = {
    { "nothing", PROGRAM(0), 0, 0, { CFA(SP, 8) } },
    { "push, before", PROGRAM(0x41, 0x0e, 16), 0, 0, { CFA(SP, 8) } },
    { "push, after", PROGRAM(0x41, 0x0e, 16), 1, 0, { CFA(SP, 16) } },
    { "advance1", PROGRAM(0x02, 9, 0x0e, 16), 8, 0, { CFA(SP, 8) } },
    { "advance1, reached", PROGRAM(0x02, 9, 0x0e, 16), 9, 0, { CFA(SP, 16) } },
    { "advance2", PROGRAM(0x03, 200, 0, 0x0e, 16), 200, 0, { CFA(SP, 16) } },
    { "advance4", PROGRAM(0x04, 200, 0, 0, 0, 0x0e, 16), 199, 0, { CFA(SP, 8) } },
    { "set_loc", PROGRAM(0x01, 5, 0, 0x10, 0, 0x0e, 16), 4, 0, { CFA(SP, 8) } },
    { "set_loc, reached", PROGRAM(0x01, 5, 0, 0x10, 0, 0x0e, 16), 5, 0, { CFA(SP, 16) } },
    { "def_cfa fp", PROGRAM(0x0c, 6, 16), 0, 0, { CFA(FP, 16) } },
    { "def_cfa other", PROGRAM(0x0c, 3, 16), 0, -ENOTSUP, { 0 } },
    { "def_cfa_register", PROGRAM(0x0d, 6), 0, 0, { CFA(FP, 8) } },
    { "def_cfa_sf", PROGRAM(0x12, 6, 0x7e), 0, 0, { CFA(FP, 16) } },
    { "def_cfa_offset_sf", PROGRAM(0x13, 0x7d), 0, 0, { CFA(SP, 24) } },
    { "offset fp", PROGRAM(0x86, 2), 0, 0, { CFA(SP, 8), FP_AT(-16) } },
    { "offset others", PROGRAM(0x83, 2, 0x8c, 3), 0, 0, { CFA(SP, 8) } },
    { "offset_extended", PROGRAM(0x05, 6, 3), 0, 0, { CFA(SP, 8), FP_AT(-24) } },
    { "offset_extended_sf", PROGRAM(0x11, 6, 3), 0, 0, { CFA(SP, 8), FP_AT(-24) } },
    { "negative_offset", PROGRAM(0x2f, 6, 3), 0, 0, { CFA(SP, 8), FP_AT(24) } },
    { "restore", PROGRAM(0x86, 2, 0xc6), 0, 0, { CFA(SP, 8) } },
    { "restore_extended", PROGRAM(0x86, 2, 0x06, 6), 0, 0, { CFA(SP, 8) } },
    { "same_value", PROGRAM(0x86, 2, 0x08, 6), 0, 0, { CFA(SP, 8) } },
    { "undefined fp", PROGRAM(0x07, 6), 0, 0, { CFA(SP, 8), .fp = CT_CFI_FP_LOST } },
    { "register fp", PROGRAM(0x09, 6, 3), 0, 0, { CFA(SP, 8), .fp = CT_CFI_FP_LOST } },
    { "val_offset fp", PROGRAM(0x14, 6, 3), 0, 0, { CFA(SP, 8), .fp = CT_CFI_FP_LOST } },
    { "val_expression fp", PROGRAM(0x16, 6, 1, 0x30), 0, 0, { CFA(SP, 8), .fp = CT_CFI_FP_LOST } },
    { "expression fp", PROGRAM(0x10, 6, 2, 0x76, 0), 0, 0, { CFA(SP, 8), .fp = CT_CFI_FP_AT_FP } },
    { "undefined ra", PROGRAM(0x07, 16), 0, 0, { .last = true } },
    { "ra elsewhere", PROGRAM(0x90, 2), 0, -ENOTSUP, { 0 } },
    { "ra in a register", PROGRAM(0x09, 16, 0), 0, -ENOTSUP, { 0 } },
    { "sp from memory", PROGRAM(0x87, 2), 0, -ENOTSUP, { 0 } },
    { "remember", PROGRAM(0x0a, 0x0e, 16, 0x86, 2, 0x0b), 0, 0, { CFA(SP, 8) } },
    { "remember deep", PROGRAM(0x0a, 0x0a, 0x0a, 0x0e, 16, 0x0b, 0x0b), 0, 0, { CFA(SP, 8) } },
    { "remember too deep", PROGRAM(0x0a, 0x0a, 0x0a, 0x0a, 0x0a), 0, -ENOTSUP, { 0 } },
    { "restore_state alone", PROGRAM(0x0b), 0, -EINVAL, { 0 } },
    { "args_size", PROGRAM(0x2e, 16), 0, 0, { CFA(SP, 8) } },
    { "unknown", PROGRAM(0x3f), 0, -ENOTSUP, { 0 } },
    { "cut operand", PROGRAM(0x0e), 0, -EINVAL, { 0 } },
    { "cut expression", PROGRAM(0x0f, 4, 0x77, 8), 0, -EINVAL, { 0 } },
    { "plt, early", PROGRAM(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22), 10, 0, { CFA(SP, 8) } },
    { "plt, late", PROGRAM(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22), 27, 0, { CFA(SP, 16) } },
    { "realigned", PROGRAM(0x0f, 3, 0x76, 0x78, 0x06), 0, 0, { CFA(FP, -8), .deref = true } },
    { "asm", PROGRAM(0x0f, 5, 0x77, 0xc8, 0, 0x06, 0x23), 0, -EINVAL, { 0 } },
    { "asm, whole", PROGRAM(0x0f, 6, 0x77, 0xc8, 0, 0x06, 0x23, 8), 0, 0, { CFA(SP, 72), .deref = true, .addend = 8 } },
    { "constants", PROGRAM(0x0f, 8, 0x77, 0, 0x08, 200, 0x22, 0x0a, 1, 0), 0, -ENOTSUP, { 0 } },
    { "constants, added", PROGRAM(0x0f, 9, 0x77, 0, 0x08, 200, 0x22, 0x0b, 0xff, 0xff, 0x22), 0, 0, { CFA(SP, 199) } },
    { "minus", PROGRAM(0x0f, 4, 0x77, 32, 0x38, 0x1c), 0, 0, { CFA(SP, 24) } },
    { "dup", PROGRAM(0x0f, 4, 0x77, 0, 0x12, 0x22), 0, -ENOTSUP, { 0 } },
    { "expression empty", PROGRAM(0x0f, 0), 0, -EINVAL, { 0 } },
    { "expression underflow", PROGRAM(0x0f, 1, 0x22), 0, -EINVAL, { 0 } },
    { "expression number", PROGRAM(0x0f, 1, 0x38), 0, -ENOTSUP, { 0 } },
    { "outside", PROGRAM(0), 256, -ENOENT, { 0 } },
    { "below", PROGRAM(0), -1, -ENOENT, { 0 } },
};
/* clang-format on */

static void test_instructions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
        const struct example *e = &examples[i];
        struct ct_cfi_rule rule = { 0 };
        int r = run(e->program, e->size, CODE + (uintptr_t)(intptr_t)e->at, &rule);

        if (r != e->result || (r == 0 && memcmp(&rule, &e->rule, sizeof(rule)) != 0))
            fail_msg("%s: result %d, base %d, offset %d, fp %d at %d", e->what, r, rule.base,
                     rule.offset, rule.fp, rule.fp_offset);
    }
}

static void test_stack_overflow_of_expression(void **state)
{
    unsigned char program[32] = { 0x0f, 30 };
    struct ct_cfi_rule rule;

    (void)state;
    memset(program + 2, 0x30, 30);
    assert_int_equal(run(program, sizeof(program), CODE, &rule), -ENOTSUP);
}

static void test_augmentations(void **state)
{
    static const struct {
        const char *letters;
        int result;
    } cases[] = { { "zR", 0 },       { "zRS", 0 },        { "zRB", 0 },
                  { "R", -ENOTSUP }, { "zRx", -ENOTSUP }, { "eh", -ENOTSUP } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct section section = { .size = 0 };
        struct ct_cfi_rule rule = { 0 };
        size_t fde = put_frame(&section, cases[i].letters, "", 1);

        assert_int_equal(read_placed(&section, fde, CODE, &rule), cases[i].result);
        if (cases[i].result == 0)
            assert_int_equal(rule.signal, strchr(cases[i].letters, 'S') != NULL);
    }
}

/*
 * Every byte cut off and every byte changed: an answer of some kind, and nothing behind the end is
 * read.
 */
static void test_damage(void **state)
{
    static const unsigned char program[] = { 0x41, 0x0e, 16,   0x86, 2,    0x0a, 0x0f, 3,
                                             0x76, 0x78, 0x06, 0x0b, 0x02, 9,    0xc6 };
    struct section whole = { .size = 0 };
    size_t fde = put_frame(&whole, "zR", program, sizeof(program));
    struct ct_cfi_rule rule;

    (void)state;
    for (size_t cut = 0; cut < whole.size; cut++) {
        struct section section = whole;

        section.size = cut;
        if (cut >= fde)
            assert_int_equal(read_placed(&section, fde, CODE, &rule), -EINVAL);
    }
    for (size_t at = 0; at < whole.size; at++) {
        for (unsigned value = 0; value < 256; value++) {
            struct section section = whole;

            section.bytes[at] = (unsigned char)value;
            read_placed(&section, fde, CODE + 20, &rule);
        }
    }
}

/* Builds a .eh_frame_hdr of `count` functions, 16 bytes apart, ending at the guard page. */
static uintptr_t place_header(unsigned count, unsigned claimed)
{
    struct section section = { .size = 0 };
    unsigned char *start;

    put(&section, 1, 1);
    put(&section, 0x1b, 1);
    put(&section, 0x03, 1);
    put(&section, 0x3b, 1);
    put(&section, 0, 4);
    put(&section, claimed, 4);
    for (unsigned i = 0; i < count; i++) {
        put(&section, 0x1000 + 16 * i, 4);
        put(&section, 0x100 + i, 4);
    }
    start = guard - section.size;
    memcpy(start, section.bytes, section.size);
    return (uintptr_t)start;
}

static void test_find(void **state)
{
    uintptr_t fde = 0;

    (void)state;
    for (unsigned count = 1; count < 20; count++) {
        uintptr_t header = place_header(count, count);
        struct ct_cfi_span span = { header, (uintptr_t)guard };

        assert_int_equal(ct_cfi_find(&span, header, header + 0xfff, &fde), -ENOENT);
        for (unsigned i = 0; i < 16 * count + 40; i++) {
            unsigned expected = i / 16 < count ? i / 16 : count - 1;

            assert_int_equal(ct_cfi_find(&span, header, header + 0x1000 + i, &fde), 0);
            assert_int_equal(fde, header + 0x100 + expected);
        }
    }
}

static void test_find_hostile(void **state)
{
    uintptr_t header = place_header(3, 4), fde;
    struct ct_cfi_span span = { header, (uintptr_t)guard };

    (void)state;
    assert_int_equal(ct_cfi_find(&span, header, header + 0x1000, &fde), -EINVAL);
    header = place_header(3, 0xffffffff);
    assert_int_equal(ct_cfi_find(&span, header, header + 0x1000, &fde), -EINVAL);
    header = place_header(0, 0);
    assert_int_equal(ct_cfi_find(&span, header, header + 0x1000, &fde), -ENOENT);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(ct_cfi_find(&span, (uintptr_t)guard - i, header, &fde), -EINVAL);
    assert_int_equal(ct_cfi_find(&span, 1, header, &fde), -EINVAL);
    for (unsigned i = 0; i < 4; i++) {
        header = place_header(3, 3);
        span.start = header;
        ((unsigned char *)header)[i] = 0xff;
        if (i != 1) /* how the pointer to .eh_frame is written does not matter: it is not used */
            assert_int_equal(ct_cfi_find(&span, header, header + 0x1000, &fde), -EINVAL);
    }
}

/*
 * What libdw says about a location: 1 when our rule agrees, 0 when it does not, -1 when it cannot
 * be compared.
 */
static int agrees(Dwarf_Frame *frame, int result, const struct ct_cfi_rule *rule)
{
    Dwarf_Op *ops, buffer[3];
    size_t count;

    if (dwarf_frame_register(frame, 16, buffer, &ops, &count) != 0)
        return -1;
    if (count == 0 && ops != NULL)
        return result == 0 && rule->last; /* undefined */
    if (count != 2 || ops[0].atom != DW_OP_call_frame_cfa || (int64_t)ops[1].number != -8)
        return result != 0; /* vfork keeps it in a register */
    if (dwarf_frame_cfa(frame, &ops, &count) != 0)
        return -1;
    if (count != 1 ||
        (ops[0].atom != DW_OP_breg7 && ops[0].atom != DW_OP_breg6 && ops[0].atom != DW_OP_bregx))
        return -1;

    uint64_t number = ops[0].atom == DW_OP_bregx ? ops[0].number
                                                 : (uint64_t)ops[0].atom - DW_OP_breg0;
    int64_t offset = (int64_t)(ops[0].atom == DW_OP_bregx ? ops[0].number2 : ops[0].number);

    if (number != 6 && number != 7)
        return result != 0;
    if (result != 0)
        return 0;
    if (rule->base != (number == 6 ? CT_CFI_FP : CT_CFI_SP) || rule->offset != offset ||
        rule->deref)
        return 0;
    if (dwarf_frame_register(frame, 6, buffer, &ops, &count) != 0)
        return -1;
    if (count == 0)
        return rule->fp == (ops ? CT_CFI_FP_LOST : CT_CFI_FP_SAME);
    if (ops[0].atom == DW_OP_call_frame_cfa && count == 1)
        return rule->fp == CT_CFI_FP_AT_CFA && rule->fp_offset == 0;
    if (count == 2 && ops[0].atom == DW_OP_call_frame_cfa && ops[1].atom == DW_OP_plus_uconst)
        return rule->fp == CT_CFI_FP_AT_CFA && rule->fp_offset == (int32_t)ops[1].number;
    return -1;
}

/*
 * Compares every 5th address of libc's code with libdw, which reads the same tables by other code.
 */
static void test_libc_against_libdw(void **state)
{
    struct dl_find_object module;
    struct ct_cfi_span span;

    (void)state;
    assert_int_equal(_dl_find_object((void *)(uintptr_t)&gnu_get_libc_version, &module), 0);

    int fd = open(module.dlfo_link_map->l_name, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(elf_version(EV_CURRENT) != EV_NONE);

    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    Dwarf_CFI *cfi = dwarf_getcfi_elf(elf);
    uintptr_t bias = module.dlfo_link_map->l_addr, header = (uintptr_t)module.dlfo_eh_frame;
    unsigned same = 0, different = 0, unknown = 0;
    GElf_Phdr code = { 0 }, segment;

    assert_non_null(cfi);
    for (int i = 0; gelf_getphdr(elf, i, &segment); i++) {
        if (segment.p_type == PT_LOAD && segment.p_flags & PF_X)
            code = segment;
        if (segment.p_type == PT_LOAD && header - bias - segment.p_vaddr < segment.p_memsz)
            span = (struct ct_cfi_span){ bias + segment.p_vaddr,
                                         bias + segment.p_vaddr + segment.p_filesz };
    }
    for (uint64_t at = code.p_vaddr; at < code.p_vaddr + code.p_memsz; at += 5) {
        struct ct_cfi_rule rule;
        Dwarf_Frame *frame;
        uintptr_t fde;

        if (dwarf_cfi_addrframe(cfi, at, &frame) != 0)
            continue;

        int r = ct_cfi_find(&span, header, bias + at, &fde);

        r = r < 0 ? r : ct_cfi_read(&span, fde, bias + at, &rule);

        bool is_signal = r == 0 && rule.signal;
        int verdict = is_signal ? -1 : agrees(frame, r, &rule);

        same += verdict > 0;
        different += verdict == 0;
        unknown += verdict < 0;
        if (verdict == 0 && different < 5)
            print_message("libc+%#lx: result %d base %d off %d fp %d %d\n", (unsigned long)at, r,
                          rule.base, rule.offset, rule.fp, rule.fp_offset);
        free(frame);
    }
    print_message("libc: %u rows agree, %u differ, %u not compared\n", same, different, unknown);
    assert_int_equal(different, 0);
    assert_true(same > 100000);
    assert_true(unknown < same / 100);
    dwarf_cfi_end(cfi);
    elf_end(elf);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instructions),
        cmocka_unit_test(test_stack_overflow_of_expression),
        cmocka_unit_test(test_augmentations),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_hostile),
        cmocka_unit_test(test_libc_against_libdw),
    };

    return cmocka_run_group_tests(tests, map_guard, NULL);
}
