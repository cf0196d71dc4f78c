/* Finding slots: relocations of calls, in modules that came with the program. */
#include "wrap/bound.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "record/hot.h"
#include "record/rawfile.h"
#include "wrap/passing.h"

#if defined(__x86_64__)
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT };
#else
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT };
#endif

/* What the loader works by. */
struct dynamic {
    const ElfW(Rela) *rela;             /* of calls; NULL when they are not of the kind that this machine has */
    size_t rela_count;
    const ElfW(Sym) *symbols;
    const char *names;
    size_t soname;
};

CT_EARLY_CODE static bool read_dynamic(const struct link_map *map, struct dynamic *ret)
{
    bool known = false;

    *ret = (struct dynamic){ .rela_count = 0 };
    for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
        uintptr_t at = d->d_un.d_ptr < map->l_addr ? d->d_un.d_ptr + map->l_addr : d->d_un.d_ptr;

        if (d->d_tag == DT_JMPREL)
            ret->rela = (const ElfW(Rela) *)at;
        else if (d->d_tag == DT_PLTRELSZ)
            ret->rela_count = d->d_un.d_val / sizeof *ret->rela;
        else if (d->d_tag == DT_PLTREL)
            known = d->d_un.d_val == DT_RELA;
        else if (d->d_tag == DT_SYMTAB)
            ret->symbols = (const ElfW(Sym) *)at;
        else if (d->d_tag == DT_STRTAB)
            ret->names = (const char *)at;
        else if (d->d_tag == DT_SONAME)
            ret->soname = d->d_un.d_val;
    }
    if (!known)
        ret->rela_count = 0;
    return ret->symbols && ret->names;
}

/*
 * The pages that are read-only once everything is bound.  As the loader reckons: the last one is protected only when it is
 * whole.  That these are the module's own headers is told by where its dynamic section lies.
 */
CT_EARLY_CODE static bool find_relro(const struct link_map *map, struct ct_bound_module *ret)
{
    const uintptr_t page = getauxval(AT_PAGESZ);
    struct dl_find_object found;
    const ElfW(Ehdr) *head;
    const ElfW(Phdr) *p;
    bool own = false;

    if (!page || _dl_find_object(map->l_ld, &found) != 0 || found.dlfo_link_map != map)
        return false;
    head = (const ElfW(Ehdr) *)found.dlfo_map_start;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_phentsize != sizeof *p ||
        head->e_phoff + head->e_phnum * sizeof *p > page)
        return false;
    p = (const ElfW(Phdr) *)((uintptr_t)head + head->e_phoff);
    for (unsigned i = 0; i < head->e_phnum; i++) {
        uintptr_t at = map->l_addr + p[i].p_vaddr;

        if (p[i].p_type == PT_DYNAMIC)
            own = at == (uintptr_t)map->l_ld;
        if (p[i].p_type != PT_GNU_RELRO)
            continue;
        ret->relro = at & ~(page - 1);
        ret->relro_end = (at + p[i].p_memsz) & ~(page - 1);
    }
    return own && ret->relro < ret->relro_end;
}

CT_EARLY_CODE static bool leads_to_wrapper(uintptr_t at)
{
    return at >= (uintptr_t)__start_ct_routed && at < (uintptr_t)__stop_ct_routed;
}

CT_EARLY_CODE static void add_slots(struct ct_bound *b, const struct link_map *map, const struct dynamic *by)
{
    struct ct_bound_module *m = &b->modules[b->module_count];

    if (b->module_count == CT_BOUND_MODULES || !by->rela_count || !find_relro(map, m))
        return;
    m->slots = &b->slots[b->slot_count];
    for (size_t i = 0; i < by->rela_count && b->slot_count < CT_BOUND_SLOTS; i++) {
        uintptr_t at = map->l_addr + by->rela[i].r_offset;

        if (ELF64_R_TYPE(by->rela[i].r_info) != JUMP_SLOT || at < m->relro || at >= m->relro_end ||
            at % sizeof at != 0 || !leads_to_wrapper(*(uintptr_t *)at))
            continue;
        b->slots[b->slot_count++] = (struct ct_bound_slot){
            .at = (uintptr_t *)at, .wrapper = *(uintptr_t *)at, .holds = *(uintptr_t *)at, .next = *(uintptr_t *)at,
            .name = by->names + by->symbols[ELF64_R_SYM(by->rela[i].r_info)].st_name,
        };
    }
    m->count = (unsigned)(&b->slots[b->slot_count] - m->slots);
    if (m->count)
        b->module_count++;
}

/* --- which modules --- */

CT_EARLY_CODE static const struct link_map *main_program(void)
{
    struct dl_find_object own;
    const struct link_map *map;

    if (_dl_find_object((void *)(uintptr_t)ct_bound_find, &own) != 0)
        return NULL;
    for (map = own.dlfo_link_map; map->l_prev; map = map->l_prev)
        ;
    return map;
}

static const char *name_of(const struct link_map *map, const struct dynamic *by)
{
    const char *slash = strrchr(map->l_name, '/');

    return by->soname ? by->names + by->soname : slash ? slash + 1 : map->l_name;
}

static bool is_needed_by(const struct link_map *map, const char *name)
{
    struct dynamic by;

    if (!read_dynamic(map, &by))
        return false;
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_NEEDED && strcmp(by.names + d->d_un.d_val, name) == 0)
            return true;
    return false;
}

/* Of two by the same name it is the first: the second was loaded by its path. */
static bool is_needed(const struct link_map *const *came, unsigned count, const char *name)
{
    struct dynamic by;
    bool needed = false;

    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && read_dynamic(came[i], &by) && strcmp(name_of(came[i], &by), name) == 0)
            return false;
        needed |= is_needed_by(came[i], name);
    }
    return needed;
}

/*
 * Those that the program needs, and that these need: the loader's list has each of them behind one that needs it.  Another
 * constructor may have loaded some already, which may be unloaded again.
 */
static void add_needed(struct ct_bound *b, const struct link_map *program)
{
    const struct link_map *came[CT_BOUND_MODULES] = { program };
    struct dynamic by;
    unsigned count = 1;

    for (const struct link_map *map = program->l_next; map && count < CT_BOUND_MODULES; map = map->l_next) {
        if (!read_dynamic(map, &by) || !is_needed(came, count, name_of(map, &by)))
            continue;
        came[count++] = map;
        add_slots(b, map, &by);
    }
}

/* --- filters of system calls --- */

static long field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    if (!at)
        return -1;
    at += strlen(name);
    return (long)ct_raw_number(&at, 10);
}

/* How many the calling thread is behind; -1 where that cannot be told. */
static long filters(void)
{
    char text[4096];

    if (ct_raw_read_file("/proc/thread-self/status", text, sizeof text) <= 0)
        return -1;
    return field(text, "\nSeccomp:\t") == 0 ? 0 : field(text, "\nSeccomp_filters:\t");
}

bool ct_bound_filtered_since(const struct ct_bound *b)
{
    return b->filters < 0 || filters() != b->filters;
}

CT_EARLY_CODE void ct_bound_find(struct ct_bound *b, bool all)
{
    const struct link_map *program = main_program();
    struct dynamic by;

    if (!program || !read_dynamic(program, &by))
        return;
    add_slots(b, program, &by);
    if (all)
        add_needed(b, program);
    if (b->module_count)
        b->filters = filters();
}
