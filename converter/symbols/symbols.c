/* The resolver: opened modules by last use, and the frames of one address put together. */
#include "converter/symbols/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/symbols/demangle.h"
#include "converter/symbols/module.h"

/* A module costs up to two descriptors; sections are held unpacked. */
#define MODULES_MAX 64
#define WEIGH_EACH  256 /* uses: a module grows while it is asked, and weighing it takes time */
#define BYTES_MAX   (UINT64_C(512) << 20)

struct ct_symbols {
    unsigned flags;
    uint64_t uses;
    struct ct_named_module *modules[MODULES_MAX];
    unsigned count;
    char **strings; /* those made for the last answer */
    size_t string_count, string_room;
};

int ct_symbols_new_flags(unsigned flags, struct ct_symbols **ret)
{
    struct ct_symbols *symbols;

    if (flags & ~(unsigned)(CT_SYMBOLS_DEMANGLE | CT_SYMBOLS_DEBUGINFOD))
        return -EINVAL;
    symbols = calloc(1, sizeof(*symbols));
    if (!symbols)
        return -ENOMEM;
    symbols->flags = flags;
    *ret = symbols;
    return 0;
}

int ct_symbols_new(struct ct_symbols **ret)
{
    return ct_symbols_new_flags(CT_SYMBOLS_DEMANGLE, ret);
}

static void forget_strings(struct ct_symbols *symbols)
{
    while (symbols->string_count)
        free(symbols->strings[--symbols->string_count]);
}

void ct_symbols_free(struct ct_symbols *symbols)
{
    if (!symbols)
        return;
    forget_strings(symbols);
    free(symbols->strings);
    while (symbols->count)
        ct_named_module_free(symbols->modules[--symbols->count]);
    free(symbols);
}

static void drop_module(struct ct_symbols *symbols, unsigned index)
{
    ct_named_module_free(symbols->modules[index]);
    symbols->modules[index] = symbols->modules[--symbols->count];
}

/* Closes the least recently used until one more fits; the one in use (`kept`) stays. */
static void make_room(struct ct_symbols *symbols, const struct ct_named_module *kept)
{
    for (;;) {
        uint64_t bytes = 0;
        unsigned oldest = symbols->count;

        for (unsigned i = 0; i < symbols->count; i++) {
            bytes += ct_named_module_bytes(symbols->modules[i]);
            if (symbols->modules[i] != kept &&
                (oldest == symbols->count ||
                 symbols->modules[i]->last_use < symbols->modules[oldest]->last_use))
                oldest = i;
        }
        if (oldest == symbols->count || (bytes <= BYTES_MAX && symbols->count < MODULES_MAX))
            return;
        drop_module(symbols, oldest);
    }
}

static int get_module(struct ct_symbols *symbols, const struct ct_symbol_module *key,
                      struct ct_named_module **ret)
{
    struct ct_named_module *module = NULL;
    int r;

    forget_strings(symbols);
    if (!key || !key->path || (key->build_id_len && !key->build_id) ||
        key->build_id_len > CT_BUILD_ID_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < symbols->count && !module; i++)
        if (ct_named_module_is(symbols->modules[i], key))
            module = symbols->modules[i];
    if (!module) {
        make_room(symbols, NULL);
        r = ct_named_module_new(key, symbols->flags & CT_SYMBOLS_DEBUGINFOD, &module);
        if (r != 0)
            return r;
        symbols->modules[symbols->count++] = module;
        make_room(symbols, module);
    }
    module->last_use = ++symbols->uses;
    if (symbols->uses % WEIGH_EACH == 0)
        make_room(symbols, module);
    if (module->debug_info)
        ct_debug_info_refill(module->debug_info);
    *ret = module;
    return 0;
}

/* `string` is given; freed at the next call. */
static bool keep_string(struct ct_symbols *symbols, char *string)
{
    if (symbols->string_count == symbols->string_room) {
        size_t room = symbols->string_room ? symbols->string_room * 2 : 64;
        char **strings = reallocarray(symbols->strings, room, sizeof(*strings));

        if (!strings) {
            free(string);
            return false;
        }
        symbols->strings = strings;
        symbols->string_room = room;
    }
    symbols->strings[symbols->string_count++] = string;
    return true;
}

/* Without the version ("memcpy@@GLIBC_2.14"), but with "@plt"; demangled when that is wanted. */
static const char *present(struct ct_symbols *symbols, const char *name)
{
    const char *version = strstr(name, "@@");
    char *own;

    if (!version && (version = strchr(name, '@')) != NULL && strcmp(version, "@plt") == 0)
        version = NULL;
    if (version && version != name) {
        own = strndup(name, (size_t)(version - name));
        if (own && keep_string(symbols, own))
            name = own;
    }
    own = symbols->flags & CT_SYMBOLS_DEMANGLE ? ct_demangle(name) : NULL;
    return own && keep_string(symbols, own) ? own : name;
}

static const char *full_path(struct ct_symbols *symbols, const char *directory, const char *file)
{
    char *path;

    if (!file || file[0] == '/' || !directory || asprintf(&path, "%s/%s", directory, file) < 0)
        return file;
    return keep_string(symbols, path) ? path : file;
}

static unsigned underscores(const char *name)
{
    unsigned count = 0;

    while (name[count] == '_')
        count++;
    return count;
}

/*
 * The function that holds it all may have a symbol only (assembler); a C++ function within an
 * anonymous namespace has its full name only there; and what libc calls __pthread_create_2_1
 * everybody else calls pthread_create, which is its symbol too.
 */
static const char *outermost_name(const char *symbol, const char *name)
{
    if (!symbol || !name)
        return symbol ? symbol : name;
    if (strncmp(symbol, "_Z", 2) == 0)
        return strncmp(name, "_Z", 2) == 0 ? name : symbol;
    /* A dot is the compiler's: "main.cold" is main. */
    return underscores(symbol) < underscores(name) && !strchr(symbol, '.') ? symbol : name;
}

static int resolve(struct ct_symbols *symbols, struct ct_named_module *module, uint64_t vaddr,
                   struct ct_symbol_frame frames[CT_SYMBOL_FRAMES_MAX], unsigned *ret_count)
{
    const struct ct_symtab_symbol *symbol = ct_symtab_find(&module->symtab, vaddr);
    const char *directory = NULL;
    unsigned count = 0, kept = 0;
    int r = 0;

    if (module->debug_info)
        r = ct_debug_info_resolve(module->debug_info, vaddr, frames, CT_SYMBOL_FRAMES_MAX, &count,
                                  &directory);
    if (r != 0)
        return r;
    if (count == 0)
        frames[count++] = (struct ct_symbol_frame){ 0 };
    frames[count - 1].function = outermost_name(symbol ? symbol->name : NULL,
                                                 frames[count - 1].function);
    for (unsigned i = 0; i < count; i++) {
        if (!frames[i].function)
            continue;
        frames[kept] = frames[i];
        frames[kept].function = present(symbols, frames[i].function);
        frames[kept].file = full_path(symbols, directory, frames[i].file);
        frames[kept].entry = symbol ? symbol->low : 0;
        kept++;
    }
    *ret_count = kept;
    return 0;
}

int ct_symbols_resolve_module(struct ct_symbols *symbols, const struct ct_symbol_module *module,
                              uint64_t vaddr, struct ct_symbol_frame *frames, unsigned max,
                              unsigned *ret_count)
{
    struct ct_symbol_frame all[CT_SYMBOL_FRAMES_MAX];
    struct ct_named_module *named;
    unsigned count;
    int r = max ? get_module(symbols, module, &named) : -EINVAL;

    if (r == 0)
        r = resolve(symbols, named, vaddr, all, &count);
    if (r != 0)
        return r;
    *ret_count = count < max ? count : max;
    memcpy(frames, all, *ret_count * sizeof(*frames));
    return 0;
}

int ct_symbols_resolve(struct ct_symbols *symbols, const char *path, const uint8_t *build_id,
                       size_t build_id_len, uint64_t file_vaddr, struct ct_symbol_frame *frames,
                       unsigned max, unsigned *ret_count)
{
    struct ct_symbol_module module = {
        .path = path,
        .build_id = build_id,
        .build_id_len = build_id_len,
    };

    return ct_symbols_resolve_module(symbols, &module, file_vaddr, frames, max, ret_count);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

int ct_symbols_resolve_batch(struct ct_symbols *symbols, const struct ct_symbol_module *module,
                             uint64_t *vaddrs, size_t count, ct_symbols_sink *sink, void *context)
{
    struct ct_symbol_frame frames[CT_SYMBOL_FRAMES_MAX];
    struct ct_named_module *named;
    int r = get_module(symbols, module, &named);
    unsigned found;

    if (r != 0 || !count)
        return r;
    qsort(vaddrs, count, sizeof(*vaddrs), compare);
    for (size_t i = 0; i < count && r == 0; i++) {
        if (i && vaddrs[i] == vaddrs[i - 1])
            continue;
        forget_strings(symbols);
        r = resolve(symbols, named, vaddrs[i], frames, &found);
        if (r == 0)
            r = sink(context, vaddrs[i], frames, found);
    }
    return r;
}

int ct_symbols_file_vaddr(struct ct_symbols *symbols, const struct ct_symbol_module *module,
                          uint64_t map_start, uint64_t map_offset, uint64_t pc, uint64_t *ret)
{
    struct ct_named_module *named;
    int r = pc < map_start || pc - map_start > UINT64_MAX - map_offset
                ? -ERANGE
                : get_module(symbols, module, &named);

    return r != 0 ? r : ct_named_module_vaddr(named, map_offset + (pc - map_start), ret);
}

const char *ct_symbols_explain(struct ct_symbols *symbols, const struct ct_symbol_module *module)
{
    struct ct_named_module *named;
    int r = get_module(symbols, module, &named);

    return r == 0 ? named->explanation : r == -ENOMEM ? "out of memory" : "not a module";
}
