/* Makes rules: finds an address's module and the segment of its tables, packs the row found. */
#include "record/unwind_rule.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>

#include "record/cfi.h"
#include "record/unwind.h"

/* The one other module whose frames are left out; NULL: none.  Compared only. */
static struct link_map *skipped_module;

enum { PAGE = 4096 };

static bool find_module(uint64_t address, struct dl_find_object *ret)
{
    return _dl_find_object((void *)address, ret) == 0; /* NOLINT: an address is all there is */
}

void ct_unwind_skip(const void *code)
{
    struct dl_find_object module;
    bool found = code && find_module((uint64_t)(uintptr_t)code, &module);

    __atomic_store_n(&skipped_module, found ? module.dlfo_link_map : NULL, __ATOMIC_RELAXED);
}

/*
 * Linked into a program, as tests do, the recorder has no module of its own that could be left out.
 */
static bool is_ours(const struct dl_find_object *module)
{
    struct dl_find_object own;

    if (module->dlfo_link_map == __atomic_load_n(&skipped_module, __ATOMIC_RELAXED))
        return true;
    return module->dlfo_link_map->l_name[0] != '\0' &&
           find_module((uint64_t)(uintptr_t)ct_unwind_rule, &own) &&
           own.dlfo_link_map == module->dlfo_link_map;
}

/*
 * The program headers of the module mapped at `start`, when all of them are in its first page; else
 * NULL.
 */
static const ElfW(Phdr) * find_headers(uintptr_t start, uintptr_t end, unsigned *ret_count)
{
    const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)start;

    if (end - start < PAGE || *(const uint32_t *)head->e_ident !=
                                  (ELFMAG0 | ELFMAG1 << 8 | ELFMAG2 << 16 | ELFMAG3 << 24))
        return NULL;
    if (head->e_phentsize != sizeof(ElfW(Phdr)) || head->e_phoff % 8 != 0 || head->e_phoff > PAGE ||
        head->e_phnum > (PAGE - head->e_phoff) / sizeof(ElfW(Phdr)))
        return NULL;
    *ret_count = head->e_phnum;
    return (const ElfW(Phdr) *)(start + head->e_phoff);
}

/*
 * The readable bytes around `address`, one segment of its module.  Between segments a library's
 * mapping has holes that fault, so malformed tables must not lead there.  What _dl_find_object
 * calls the mapping begins with the ELF header, or, of a program with real holes, is one segment
 * already.
 */
static bool find_segment(uintptr_t address, struct ct_cfi_span *ret)
{
    struct dl_find_object module;
    uintptr_t bias = 0;
    unsigned count;

    if (!find_module(address, &module))
        return false;
    *ret = (struct ct_cfi_span){ (uintptr_t)module.dlfo_map_start, (uintptr_t)module.dlfo_map_end };

    const ElfW(Phdr) *segment = find_headers(ret->start, ret->end, &count);

    if (!segment)
        return true;
    for (const ElfW(Phdr) *end = segment + count; segment < end; segment++) {
        if (segment->p_type != PT_LOAD)
            continue;
        if (bias == 0)
            bias = ret->start - (segment->p_vaddr & -(uintptr_t)PAGE);

        uintptr_t from = bias + segment->p_vaddr;

        if (address - from >= segment->p_filesz || !(segment->p_flags & PF_R))
            continue;
        if (from < ret->start || from > ret->end || segment->p_filesz > ret->end - from)
            return false;
        *ret = (struct ct_cfi_span){ from, from + segment->p_filesz };
        return true;
    }
    return false;
}

/*
 * Finds the row for `pc`.  Results as ct_cfi_find() and ct_cfi_read(); -ENOENT too when the module
 * has no table.
 */
static int find_row(uintptr_t header, uintptr_t pc, struct ct_cfi_rule *ret)
{
    struct ct_cfi_span span;
    uintptr_t fde;

    if (!header || !find_segment(header, &span))
        return -ENOENT;

    int r = ct_cfi_find(&span, header, pc, &fde);

    if (r < 0)
        return r;
    return find_segment(fde, &span) ? ct_cfi_read(&span, fde, pc, ret) : -EINVAL;
}

bool ct_unwind_in_module(uint64_t address)
{
    struct dl_find_object module;

    return find_module(address, &module);
}

/* The table's entry for `pc`, 0 when there is none. */
static uintptr_t find_entry(uintptr_t pc)
{
    struct dl_find_object module;
    struct ct_cfi_span span;
    uintptr_t fde;

    if (!find_module(pc, &module) || !module.dlfo_eh_frame || !find_segment((uintptr_t)module.dlfo_eh_frame, &span))
        return 0;
    return ct_cfi_find(&span, (uintptr_t)module.dlfo_eh_frame, pc, &fde) == 0 ? fde : 0;
}

bool ct_unwind_same_function(uint64_t one, uint64_t other)
{
    uintptr_t entry = find_entry(one);

    return entry && entry == find_entry(other);
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

    /*
     * Addresses outside all modules are not remembered: what they stand for may change without a
     * dlclose.
     */
    *ret_keep = find_module(pc, &module);
    if (!*ret_keep)
        return rule | CT_RULE_SHOWN;

    int r = find_row((uintptr_t)module.dlfo_eh_frame, pc, &row);

    if (r == 0)
        rule = pack(&row);
    else if (r == -ENOTSUP) /* a row that needs other registers: guessing from fp would be wrong */
        rule = CT_RULE_SLOW | CT_RULE_LOST;
    return is_ours(&module) ? rule : rule | CT_RULE_SHOWN;
}
