/* Function symbols with their extents; a symbol never reaches into code it does not own. */
#include "converter/symbols/symtab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX (UINT32_C(1) << 24)

/* End of each executable section, 0 for the others. */
struct sections {
    uint64_t *end;
    size_t count;
};

static int sections_init(struct sections *sections, const struct ct_elf_file *file)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    if (elf_getshdrnum(file->elf, &sections->count) != 0)
        return -ENOENT;
    sections->end = calloc(sections->count + 1, sizeof(*sections->end));
    if (!sections->end)
        return -ENOMEM;
    while ((section = elf_nextscn(file->elf, section)) != NULL) {
        size_t index = elf_ndxscn(section);

        if (index < sections->count && gelf_getshdr(section, &header) &&
            (header.sh_flags & SHF_EXECINSTR) && header.sh_addr + header.sh_size > header.sh_addr)
            sections->end[index] = header.sh_addr + header.sh_size;
    }
    return 0;
}

/*
 * Of the names of one address: functions before labels, sized before not, `read` before `__read`.
 */
static uint32_t rank(const GElf_Sym *symbol, const char *name)
{
    uint32_t underscores = 0, binding = GELF_ST_BIND(symbol->st_info);

    while (name[underscores] == '_' && underscores < 15)
        underscores++;
    return (GELF_ST_TYPE(symbol->st_info) != STT_NOTYPE) << 9 | (symbol->st_size != 0) << 8 |
           (15 - underscores) << 2 |
           (binding == STB_GLOBAL ? 2
            : binding == STB_WEAK ? 1
                                  : 0);
}

int ct_symtab_add_symbol(struct ct_symtab *symtab, const struct ct_symtab_symbol *symbol)
{
    if (symtab->count == symtab->room) {
        size_t room = symtab->room ? symtab->room * 2 : 256;
        struct ct_symtab_symbol *symbols = reallocarray(symtab->symbols, room, sizeof(*symbols));

        if (!symbols)
            return -ENOMEM;
        symtab->symbols = symbols;
        symtab->room = room;
    }
    symtab->symbols[symtab->count++] = *symbol;
    return 0;
}

/* Fills `ret` when the symbol is a function's; `full` allows symbols without a size. */
static bool is_function(const GElf_Sym *symbol, const char *name, const struct sections *sections,
                        bool full, struct ct_symtab_symbol *ret)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    uint64_t limit;

    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
        return false;
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= sections->count)
        return false;
    limit = sections->end[symbol->st_shndx];
    /* "$x" and "$d" mark code and data on ARM; they are no names. */
    if (symbol->st_value >= limit || !name || !name[0] || name[0] == '$')
        return false;
    /* Between two exported labels of a stripped file lie functions nobody knows. */
    if (!full && symbol->st_size == 0)
        return false;
    *ret = (struct ct_symtab_symbol){
        .low = symbol->st_value,
        .size = symbol->st_size,
        .limit = limit,
        .rank = rank(symbol, name),
        .name = name,
    };
    return true;
}

static int add_section(struct ct_symtab *symtab, const struct ct_elf_file *file, Elf_Scn *section,
                       const struct sections *sections, bool full)
{
    struct ct_symtab_symbol found;
    GElf_Shdr header;
    GElf_Sym symbol;
    Elf_Data *data = gelf_getshdr(section, &header) ? elf_getdata(section, NULL) : NULL;
    size_t size = gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
    size_t count = data && size ? data->d_size / size : 0;

    for (size_t i = 0; i < count && i < SYMBOLS_MAX && symtab->count < SYMBOLS_MAX; i++) {
        int r;

        if (!gelf_getsym(data, (int)i, &symbol))
            break;
        if (!is_function(&symbol, elf_strptr(file->elf, header.sh_link, symbol.st_name), sections,
                         full, &found))
            continue;
        r = ct_symtab_add_symbol(symtab, &found);
        if (r != 0)
            return r;
    }
    return 0;
}

int ct_symtab_add(struct ct_symtab *symtab, const struct ct_elf_file *file, bool full)
{
    Elf_Scn *section = NULL;
    struct sections sections = { 0 };
    GElf_Shdr header;
    int r = sections_init(&sections, file);
    bool any = false;

    while (r == 0 && (section = elf_nextscn(file->elf, section)) != NULL) {
        if (!gelf_getshdr(section, &header) || header.sh_type != (full ? SHT_SYMTAB : SHT_DYNSYM))
            continue;
        any = true;
        r = add_section(symtab, file, section, &sections, full);
    }
    free(sections.end);
    return r != 0 ? r : any ? 0 : -ENOENT;
}

static int compare(const void *left, const void *right)
{
    const struct ct_symtab_symbol *a = left, *b = right;

    return a->low != b->low ? (a->low < b->low ? -1 : 1) : strcmp(a->name, b->name);
}

int ct_symtab_sort(struct ct_symtab *symtab)
{
    uint64_t next = UINT64_MAX; /* start of the next symbol that starts later */
    int r = 0;

    if (symtab->count)
        qsort(symtab->symbols, symtab->count, sizeof(*symtab->symbols), compare);
    for (size_t i = symtab->count; i-- > 0 && r == 0;) {
        const struct ct_symtab_symbol *s = &symtab->symbols[i];
        uint64_t high = s->limit;

        if (i + 1 < symtab->count && symtab->symbols[i + 1].low > s->low)
            next = symtab->symbols[i + 1].low;
        if (s->size ? s->size < high - s->low : next < high)
            high = s->size ? s->low + s->size : next;
        r = ct_intervals_add(&symtab->intervals, s->low, high, (uint32_t)i, s->rank);
    }
    ct_intervals_sort(&symtab->intervals);
    return r;
}

const struct ct_symtab_symbol *ct_symtab_find(const struct ct_symtab *symtab, uint64_t vaddr)
{
    const struct ct_interval *found = ct_intervals_find(&symtab->intervals, vaddr);

    return found ? &symtab->symbols[found->value] : NULL;
}

void ct_symtab_fini(struct ct_symtab *symtab)
{
    ct_intervals_fini(&symtab->intervals);
    free(symtab->symbols);
    free(symtab->owned);
    *symtab = (struct ct_symtab){ 0 };
}
