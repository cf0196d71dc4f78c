/* The program's own slots for wrapped functions, led past the recorder where nothing can be recorded. */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "record/gate.h"
#include "record/hot.h"
#include "record/rawfile.h"
#include "record/syscall.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/*
 * A program that the recorder was merely loaded into calls libc through it, a jump a call.  Nothing can be recorded there
 * before somebody asks for ct_recorder(); until then its slots hold what the jumps lead to.  Of the main program only,
 * which is never unloaded; only slots that calls go through: pointers to functions keep being the wrappers.
 */

#if defined(__x86_64__)
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT };
#else
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT };
#endif

/* Between these the linker puts the wrappers that are jumps.  No table of them: the loader would have to fill it each time. */
extern const char __start_ct_routed[] __attribute__((visibility("hidden")));
extern const char __stop_ct_routed[] __attribute__((visibility("hidden")));

enum { SLOTS_MAX = 512 };

static struct { uintptr_t *at, wrapper; const char *name; } slots[SLOTS_MAX];
CT_EARLY_DATA static unsigned slot_count;
CT_EARLY_DATA static uintptr_t relro, relro_end;        /* pages of the program that the loader made read-only */
CT_EARLY_DATA static _Atomic bool bypassed;

CT_EARLY_CODE static const struct link_map *main_program(void)
{
    struct dl_find_object own;
    const struct link_map *map;

    if (_dl_find_object((void *)(uintptr_t)ct_slots_bypass, &own) != 0)
        return NULL;
    for (map = own.dlfo_link_map; map->l_prev; map = map->l_prev)
        ;
    return map;
}

/*
 * As the loader reckons: the last page is protected only when it is whole.  That the program's own headers were found is
 * told by where its dynamic section lies: the kernel knows of the loader only when that was the command.
 */
CT_EARLY_CODE static bool find_relro(const struct link_map *map)
{
    const ElfW(Phdr) *p = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    uintptr_t page = getauxval(AT_PAGESZ);
    bool own = false;

    if (!p || !page || getauxval(AT_PHENT) != sizeof *p)
        return false;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
        uintptr_t at = map->l_addr + p[i].p_vaddr;

        if (p[i].p_type == PT_DYNAMIC)
            own = at == (uintptr_t)map->l_ld;
        if (p[i].p_type != PT_GNU_RELRO)
            continue;
        relro = at & ~(page - 1);
        relro_end = (at + p[i].p_memsz) & ~(page - 1);
    }
    return own && relro < relro_end;
}

/* What the loader bound the program's calls by. */
struct bindings {
    const ElfW(Rela) *rela;
    size_t count;
    const ElfW(Sym) *symbols;
    const char *names;
};

CT_EARLY_CODE static bool find_bindings(const struct link_map *map, struct bindings *ret)
{
    bool known = false;

    *ret = (struct bindings){ .count = 0 };
    for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
        uintptr_t at = d->d_un.d_ptr < map->l_addr ? d->d_un.d_ptr + map->l_addr : d->d_un.d_ptr;

        if (d->d_tag == DT_JMPREL)
            ret->rela = (const ElfW(Rela) *)at;
        else if (d->d_tag == DT_PLTRELSZ)
            ret->count = d->d_un.d_val / sizeof *ret->rela;
        else if (d->d_tag == DT_PLTREL)
            known = d->d_un.d_val == DT_RELA;
        else if (d->d_tag == DT_SYMTAB)
            ret->symbols = (const ElfW(Sym) *)at;
        else if (d->d_tag == DT_STRTAB)
            ret->names = (const char *)at;
    }
    return ret->rela && known && ret->symbols && ret->names;
}

/* Slots that calls go through and that lead to us: in pages that are read-only since everything was bound at the start. */
CT_EARLY_CODE static void find_slots(const struct link_map *map)
{
    uintptr_t first = (uintptr_t)__start_ct_routed, end = (uintptr_t)__stop_ct_routed;
    struct bindings by;

    if (!find_bindings(map, &by))
        return;
    for (size_t i = 0; i < by.count && slot_count < SLOTS_MAX; i++) {
        uintptr_t *at = (uintptr_t *)(map->l_addr + by.rela[i].r_offset);

        if (ELF64_R_TYPE(by.rela[i].r_info) != JUMP_SLOT || (uintptr_t)at < relro || (uintptr_t)at >= relro_end ||
            (uintptr_t)at % sizeof *at || *at - first >= end - first)
            continue;
        slots[slot_count].at = at;
        slots[slot_count].wrapper = *at;
        slots[slot_count++].name = by.names + by.symbols[ELF64_R_SYM(by.rela[i].r_info)].st_name;
    }
}

/* Whoever filters system calls may kill for those that he did not expect. */
static bool is_filtered(void)
{
    char text[4096];
    const char *at;

    if (ct_raw_read_file("/proc/self/status", text, sizeof text) <= 0)
        return true;
    at = strstr(text, "\nSeccomp:\t");
    return !at || at[10] != '0';
}

static bool protect(int how)
{
    return ct_syscall(SYS_mprotect, relro, relro_end - relro, how) == 0;
}

CT_EARLY_CODE void ct_slots_bypass(void)
{
    const struct link_map *map = main_program();

    if (!map || !find_relro(map))
        return;
    find_slots(map);
    if (!slot_count || ct_real_symbol("trace_start"))
        return;                         /* with libctrace it will be recorded, sooner or later */
    if (is_filtered() || !protect(PROT_READ | PROT_WRITE))
        return;
    for (unsigned i = 0; i < slot_count; i++) {
        const void *real = ct_real_symbol(slots[i].name);

        if (real)
            __atomic_store_n(slots[i].at, (uintptr_t)real, __ATOMIC_RELAXED);
    }
    protect(PROT_READ);
    atomic_store_explicit(&bypassed, true, memory_order_relaxed);
}

/* Relaxed: a call that still goes the short way is one that was made a moment before. */
void ct_slots_restore(void)
{
    if (!atomic_exchange_explicit(&bypassed, false, memory_order_relaxed) || !protect(PROT_READ | PROT_WRITE))
        return;
    for (unsigned i = 0; i < slot_count; i++)
        __atomic_store_n(slots[i].at, slots[i].wrapper, __ATOMIC_RELAXED);
    protect(PROT_READ);
}
