/* A PLT entry is named by the relocation of the slot that its instructions jump through. */
#include "converter/symbols/plt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX    (1u << 20)
#define NAME_MAX_BYTES 256

/* slots: GOT slot -> index of the symbol its relocation names. */
struct plt {
    const struct ct_elf_file *file;
    struct ct_intervals slots;
    Elf_Data *symbols;
    size_t strings; /* section of the names */
    char *names;
    size_t used, room;
    unsigned entries;
};

static int add_slots(struct plt *plt, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t size = gelf_fsize(plt->file->elf, ELF_T_RELA, 1, EV_CURRENT);
    size_t count = data && size ? data->d_size / size : 0;
    GElf_Rela rela;
    int r = 0;

    if (!plt->symbols) {
        Elf_Scn *link = elf_getscn(plt->file->elf, header->sh_link);
        GElf_Shdr symbols;

        if (!link || !gelf_getshdr(link, &symbols) || symbols.sh_type != SHT_DYNSYM)
            return 0;
        plt->symbols = elf_getdata(link, NULL);
        plt->strings = symbols.sh_link;
    }
    for (size_t i = 0; i < count && i < ENTRIES_MAX && r == 0; i++)
        if (gelf_getrela(data, (int)i, &rela) && GELF_R_SYM(rela.r_info) != 0 &&
            rela.r_offset < UINT64_MAX)
            r = ct_intervals_add(&plt->slots, rela.r_offset, rela.r_offset + 1,
                                 (uint32_t)GELF_R_SYM(rela.r_info), 0);
    return r;
}

/* The name moves when the block grows, so symbols get offsets first and addresses at the end. */
static int add_entry(struct plt *plt, struct ct_symtab *symtab, uint64_t low, uint64_t size,
                     uint64_t slot)
{
    const struct ct_interval *found = ct_intervals_find(&plt->slots, slot);
    GElf_Sym symbol;
    const char *name = NULL;
    size_t length;

    if (found && plt->symbols && gelf_getsym(plt->symbols, (int)found->value, &symbol))
        name = elf_strptr(plt->file->elf, plt->strings, symbol.st_name);
    if (!name || !name[0] || plt->entries++ > ENTRIES_MAX)
        return 0;
    length = strnlen(name, NAME_MAX_BYTES);
    if (plt->used + length + sizeof("@plt") > plt->room) {
        size_t room = plt->room * 2 + NAME_MAX_BYTES + sizeof("@plt");
        char *names = realloc(plt->names, room);

        if (!names)
            return -ENOMEM;
        plt->names = names;
        plt->room = room;
    }
    sprintf(plt->names + plt->used, "%.*s@plt", (int)length, name);
    struct ct_symtab_symbol entry = {
        .low = low,
        .size = size,
        .limit = low + size,
        .name_at = plt->used,
    };
    plt->used += length + sizeof("@plt");
    return ct_symtab_add_symbol(symtab, &entry);
}

/* endbr64 and "bnd" may stand before the "jmp *slot(%rip)". */
static int add_entries_x86_64(struct plt *plt, struct ct_symtab *symtab, const GElf_Shdr *header,
                              const uint8_t *code, size_t size)
{
    size_t step = header->sh_entsize == 8 ? 8 : 16;

    for (size_t at = 0; at + step <= size; at += step) {
        for (size_t i = at; i + 6 <= at + step; i++) {
            int32_t distance;
            int r;

            if (code[i] != 0xff || code[i + 1] != 0x25)
                continue;
            memcpy(&distance, code + i + 2, sizeof(distance));
            r = add_entry(plt, symtab, header->sh_addr + at, step,
                          header->sh_addr + i + 6 + (uint64_t)(int64_t)distance);
            if (r != 0)
                return r;
            break;
        }
    }
    return 0;
}

/* adrp x16, page; ldr x17, [x16, #low]; add; br x17 */
static int add_entries_aarch64(struct plt *plt, struct ct_symtab *symtab, const GElf_Shdr *header,
                               const uint8_t *code, size_t size)
{
    for (size_t at = 0; at + 16 <= size; at += 4) {
        uint32_t adrp, ldr;
        int64_t pages;
        int r;

        memcpy(&adrp, code + at, sizeof(adrp));
        memcpy(&ldr, code + at + 4, sizeof(ldr));
        if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
            continue;
        pages = (int32_t)((adrp >> 5 & 0x7ffff) << 13) >> 11 | (adrp >> 29 & 3);
        r = add_entry(plt, symtab, header->sh_addr + at, 16,
                      ((header->sh_addr + at) & ~UINT64_C(4095)) + (uint64_t)(pages * 4096) +
                          (ldr >> 10 & 4095) * 8);
        if (r != 0)
            return r;
    }
    return 0;
}

static int add_entries(struct plt *plt, struct ct_symtab *symtab, const char *name)
{
    GElf_Shdr header;
    GElf_Ehdr elf;
    Elf_Scn *section = ct_elf_file_section(plt->file, name, &header);
    Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;

    if (!data || !data->d_buf || !gelf_getehdr(plt->file->elf, &elf) ||
        header.sh_addr > UINT64_MAX - data->d_size)
        return 0;
    if (elf.e_machine == EM_X86_64)
        return add_entries_x86_64(plt, symtab, &header, data->d_buf, data->d_size);
    if (elf.e_machine == EM_AARCH64)
        return add_entries_aarch64(plt, symtab, &header, data->d_buf, data->d_size);
    return 0;
}

int ct_plt_add(struct ct_symtab *symtab, const struct ct_elf_file *file)
{
    static const char *const tables[] = { ".plt", ".plt.sec", ".plt.got" };
    struct plt plt = { .file = file };
    size_t first = symtab->count;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    int r = 0;

    while (r == 0 && (section = elf_nextscn(file->elf, section)) != NULL)
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_RELA)
            r = add_slots(&plt, section, &header);
    ct_intervals_sort(&plt.slots);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && r == 0; i++)
        r = add_entries(&plt, symtab, tables[i]);
    for (size_t i = first; i < symtab->count; i++)
        symtab->symbols[i].name = plt.names + symtab->symbols[i].name_at;
    symtab->owned = plt.names;
    ct_intervals_fini(&plt.slots);
    return r;
}
