/* Finding the real functions: a look-up of our own in the modules behind this one. */
#include "wrap/real.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "record/hot.h"
#include "wrap/passing.h"

/*
 * Not dlsym(RTLD_NEXT): it takes the loader's lock, and a thread that is made by a constructor and waited for there
 * would never get it; it is not for signal handlers; it may allocate while we look for the allocator.  The modules that
 * came with the program are never unloaded and their order does not change, so their list can be walked freely.
 */

/* What a symbol look-up needs of a module. */
struct symbols {
    uintptr_t base;
    const ElfW(Sym) *symbol;
    const char *strings;
    const uint16_t *versions;           /* NULL: unversioned */
    const uint32_t *gnu_hash;
    const uint32_t *hash;
    uint16_t hidden;                    /* HIDDEN: what programs of long ago were linked with is looked for */
};

enum { HIDDEN = 0x8000 };

/* glibc relocates the dynamic section in place where it is writable, and leaves it as it was where it is not. */
CT_EARLY_CODE static const void *dynamic_pointer(const struct link_map *map, uintptr_t value)
{
    return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

CT_EARLY_CODE static bool read_symbols(const struct link_map *map, struct symbols *ret)
{
    *ret = (struct symbols){ .base = map->l_addr };
    for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB:
            ret->symbol = dynamic_pointer(map, d->d_un.d_ptr);
            break;
        case DT_STRTAB:
            ret->strings = dynamic_pointer(map, d->d_un.d_ptr);
            break;
        case DT_VERSYM:
            ret->versions = dynamic_pointer(map, d->d_un.d_ptr);
            break;
        case DT_GNU_HASH:
            ret->gnu_hash = dynamic_pointer(map, d->d_un.d_ptr);
            break;
        case DT_HASH:
            ret->hash = dynamic_pointer(map, d->d_un.d_ptr);
            break;
        }
    }
    return ret->symbol && ret->strings;
}

/* The definition that an unversioned reference would bind to: of several versions the default one; or an older one. */
CT_EARLY_CODE static void *definition(const struct symbols *s, uint32_t i, const char *name)
{
    const ElfW(Sym) *symbol = &s->symbol[i];
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    void *at = (void *)(s->base + symbol->st_value);

    if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL || type == STT_TLS ||
        ((s->versions ? s->versions[i] & HIDDEN : 0) != s->hidden) || strcmp(s->strings + symbol->st_name, name) != 0)
        return NULL;
    return type == STT_GNU_IFUNC ? ((void *(*)(void))at)() : at;
}

CT_EARLY_CODE static void *find_gnu(const struct symbols *s, const char *name)
{
    const uint32_t *table = s->gnu_hash;
    uint32_t buckets = table[0], first = table[1], words = table[2], shift = table[3], hash = 5381;
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(table + 4);
    const uint32_t *bucket = (const uint32_t *)(bloom + words), *chain = bucket + buckets;
    void *found;

    for (const char *p = name; *p; p++)
        hash = hash * 33 + (unsigned char)*p;
    if (!buckets || !words ||
        !(bloom[hash / 64 & (words - 1)] >> (hash & 63) & bloom[hash / 64 & (words - 1)] >> (hash >> shift & 63) & 1))
        return NULL;
    for (uint32_t i = bucket[hash % buckets]; i >= first; i++) {
        if ((chain[i - first] | 1) == (hash | 1) && (found = definition(s, i, name)))
            return found;
        if (chain[i - first] & 1)
            break;
    }
    return NULL;
}

CT_EARLY_CODE static void *find_sysv(const struct symbols *s, const char *name)
{
    uint32_t buckets = s->hash[0], hash = 0;
    const uint32_t *bucket = s->hash + 2, *chain = bucket + buckets;
    void *found;

    for (const char *p = name; *p; p++) {
        hash = (hash << 4) + (unsigned char)*p;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    for (uint32_t i = buckets ? bucket[hash % buckets] : 0; i != STN_UNDEF; i = chain[i])
        if ((found = definition(s, i, name)))
            return found;
    return NULL;
}

CT_EARLY_CODE static void *find_in(const struct link_map *map, const char *name, uint16_t hidden)
{
    struct symbols s;

    if (!read_symbols(map, &s))
        return NULL;
    s.hidden = hidden;
    return s.gnu_hash ? find_gnu(&s, name) : s.hash ? find_sysv(&s, name) : NULL;
}

static int missing(void)
{
    errno = ENOSYS;
    return -1;
}

/* What follows us in the order of modules; the rest only when we were loaded later, where we are nobody's wrapper. */
CT_EARLY_CODE static void *find(const char *name, uint16_t hidden)
{
    struct dl_find_object own;
    const struct link_map *map, *first;
    void *found = NULL;

    if (_dl_find_object((void *)missing, &own) != 0)
        return NULL;
    for (map = own.dlfo_link_map->l_next; map && !found; map = map->l_next)
        found = find_in(map, name, hidden);
    for (first = own.dlfo_link_map; first->l_prev; first = first->l_prev)
        ;
    for (map = first; map != own.dlfo_link_map && !found; map = map->l_next)
        found = find_in(map, name, hidden);
    return found;
}

CT_EARLY_CODE static void *find_real(const char *name)
{
    void *found = find(name, 0);

    return found ? found : (void *)missing;
}

CT_EARLY_CODE const void *ct_real_symbol(const char *name)
{
    return find(name, 0);
}

const void *ct_real_older(const char *name)
{
    const void *found = find(name, HIDDEN);

    return found ? found : (const void *)missing;
}

CT_EARLY_CODE bool ct_real_in_libc(const void *code)
{
    struct dl_find_object libc, other;

    return _dl_find_object((void *)(uintptr_t)gnu_get_libc_version(), &libc) == 0 &&      /* a text of its own */
           _dl_find_object((void *)(uintptr_t)code, &other) == 0 && libc.dlfo_link_map == other.dlfo_link_map;
}

/* Whoever comes first stores what anybody else would store too. */
#define RESOLVE(result, name, parameters, arguments, settle) \
    CT_PASSING static result resolve_##name parameters \
    { \
        result (*found) parameters = (result (*) parameters)find_real(#name); \
        \
        __atomic_store_n(&ct_real.name, found, __ATOMIC_RELAXED); \
        settle; \
        return found arguments; \
    }

/* A route that leads here leads to the real function from now on; one that was turned to the recorder stays so. */
#define SETTLE(result, name, parameters) \
    do { \
        result (*here) parameters = resolve_##name; \
        \
        __atomic_compare_exchange_n(&ct_route.name, &here, found, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
    } while (0)

#define REAL(result, name, parameters, arguments, ...) RESOLVE(result, name, parameters, arguments, (void)0)
#define ROUTED(result, name, parameters, arguments, ...) \
    RESOLVE(result, name, parameters, arguments, SETTLE(result, name, parameters))
#include "wrap/real.def"

struct ct_real ct_real = {
#define REAL(result, name, parameters, arguments, ...) .name = resolve_##name,
#include "wrap/real.def"
};

struct ct_route ct_route = {
#define ROUTED(result, name, parameters, arguments, ...) .name = resolve_##name,
#include "wrap/real.def"
};

CT_EARLY_CODE void ct_real_find_free(void)
{
    CT_EARLY_DATA static char name[] = "free";
    void (*found)(void *block) = find_real(name);

    ct_real.free = found;
    SETTLE(void, free, (void *block));
}
