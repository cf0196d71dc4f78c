/* Makes rules: finds the module of an address, the readable segment of its tables, and packs the row found there. */
#include "record/unwind_rule.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>

#include "record/cfi.h"
#include "record/unwind.h"

/* This library's first byte, given by the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* Start of the one other module whose frames are left out; 0: none. */
static uintptr_t skipped_module;

enum { PAGE = 4096 };

static bool find_module(uint64_t address, struct dl_find_object *ret)
{
    return _dl_find_object((void *)address, ret) == 0;      /* NOLINT: an address is all there is */
}

void ct_unwind_skip(const void *code)
{
    struct dl_find_object module;
    bool found = code && find_module((uint64_t)(uintptr_t)code, &module);

    __atomic_store_n(&skipped_module, found ? (uintptr_t)module.dlfo_map_start : 0, __ATOMIC_RELAXED);
}

/* Linked into a program, as tests do, the recorder has no module of its own that could be left out. */
static bool is_ours(const struct dl_find_object *module)
{
    uintptr_t start = (uintptr_t)module->dlfo_map_start;

    if (start == __atomic_load_n(&skipped_module, __ATOMIC_RELAXED))
        return true;
    return start == (uintptr_t)__ehdr_start && module->dlfo_link_map->l_name[0] != '\0';
}

/*
 * The readable segment of `module` that holds `address`.  Between segments a module's mapping may have holes that
 * fault, so malformed tables must not lead there.  The program headers are looked for in the first page only, which is
 * mapped whenever the first segment begins with the ELF header, as linkers make it.
 */
static bool find_segment(const struct dl_find_object *module, uintptr_t address, struct ct_cfi_span *ret)
{
    uintptr_t start = (uintptr_t)module->dlfo_map_start, end = (uintptr_t)module->dlfo_map_end;
    const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)start;
    uintptr_t bias = 0;
    bool biased = false;

    if (end - start < PAGE || *(const uint32_t *)head->e_ident != (ELFMAG0 | ELFMAG1 << 8 | ELFMAG2 << 16 | ELFMAG3 << 24))
        return false;
    if (head->e_phentsize != sizeof(ElfW(Phdr)) || head->e_phoff % 8 != 0 || head->e_phoff > PAGE ||
        head->e_phnum > (PAGE - head->e_phoff) / sizeof(ElfW(Phdr)))
        return false;

    const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(start + head->e_phoff);

    for (unsigned i = 0; i < head->e_phnum; i++, segment++) {
        if (segment->p_type != PT_LOAD)
            continue;
        if (!biased)
            bias = start - (segment->p_vaddr & -(uintptr_t)PAGE);
        biased = true;

        uintptr_t from = bias + segment->p_vaddr;

        if (!(segment->p_flags & PF_R) || from < start || from > end || segment->p_filesz > end - from)
            continue;
        if (address - from < segment->p_filesz) {
            *ret = (struct ct_cfi_span){ from, from + segment->p_filesz };
            return true;
        }
    }
    return false;
}

static bool find_row(const struct dl_find_object *module, uintptr_t pc, struct ct_cfi_rule *ret)
{
    uintptr_t header = (uintptr_t)module->dlfo_eh_frame, fde;
    struct ct_cfi_span span;

    return header && find_segment(module, header, &span) && ct_cfi_find(&span, header, pc, &fde) == 0 &&
           find_segment(module, fde, &span) && ct_cfi_read(&span, fde, pc, ret) == 0;
}

static uint64_t make_rule(unsigned flags, uint32_t offset, int32_t fp_offset)
{
    return flags | (uint64_t)(uint8_t)(fp_offset / 8) << 8 | (uint64_t)offset << 32;
}

static bool is_packable(int32_t fp_offset)
{
    return fp_offset % 8 == 0 && fp_offset / 8 == (int8_t)(fp_offset / 8);
}

/* The slow form of a row: everything is checked when it is used. */
static uint64_t pack_slow(const struct ct_cfi_rule *row)
{
    unsigned flags = CT_RULE_SLOW | CT_RULE_ROW | (row->base == CT_CFI_FP ? CT_RULE_FP : 0);
    uint32_t offset = (uint32_t)row->offset;

    if (row->deref) {
        if (row->offset != (int16_t)row->offset || row->addend != (int16_t)row->addend)
            return CT_RULE_SLOW | CT_RULE_LOST;
        flags |= CT_RULE_DEREF;
        offset = (uint16_t)row->offset | (uint32_t)(uint16_t)row->addend << 16;
    }
    if (row->fp == CT_CFI_FP_LOST || (row->fp != CT_CFI_FP_SAME && !is_packable(row->fp_offset)))
        return make_rule(flags | CT_RULE_FP_LOST, offset, 0);
    if (row->fp == CT_CFI_FP_AT_CFA)
        flags |= CT_RULE_FP_SAVED;
    if (row->fp == CT_CFI_FP_AT_FP)
        flags |= CT_RULE_FP_AT_FP;
    return make_rule(flags, offset, row->fp_offset);
}

static uint64_t pack(const struct ct_cfi_rule *row)
{
    if (row->signal)
        return CT_RULE_SLOW | CT_RULE_SIGNAL;
    if (row->last)
        return CT_RULE_SLOW | CT_RULE_LAST;
    if (row->deref || row->offset < 8 || (row->fp != CT_CFI_FP_SAME && row->fp != CT_CFI_FP_AT_CFA))
        return pack_slow(row);

    unsigned flags = row->base == CT_CFI_FP ? CT_RULE_FP : 0;

    if (row->fp == CT_CFI_FP_SAME)
        return make_rule(flags, (uint32_t)row->offset, 0);
    if (row->fp_offset > -8 || row->fp_offset < -row->offset || !is_packable(row->fp_offset))
        return pack_slow(row);
    return make_rule(flags | CT_RULE_FP_SAVED, (uint32_t)row->offset, row->fp_offset);
}

uint64_t ct_unwind_rule(uint64_t ra, bool *ret_keep)
{
    struct dl_find_object module;
    struct ct_cfi_rule row;
    uint64_t pc = ra - 1, rule = CT_RULE_SLOW | CT_RULE_GUESS;

    /* Addresses outside all modules are not remembered: what they stand for may change without a dlclose. */
    *ret_keep = find_module(pc, &module);
    if (!*ret_keep)
        return rule | CT_RULE_SHOWN;
    if (find_row(&module, pc, &row))
        rule = pack(&row);
    return is_ours(&module) ? rule : rule | CT_RULE_SHOWN;
}
