/* Opening a module: the files that are found decide between DWARF, symbols and nothing. */
#include "converter/symbols/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/symbols/minidebug.h"
#include "converter/symbols/plt.h"

static int copy_key(struct ct_symbol_module *copy, const struct ct_symbol_module *key)
{
    uint8_t *build_id = malloc(key->build_id_len + 1);

    copy->path = strdup(key->path);
    copy->build_id = build_id;
    copy->build_id_len = key->build_id_len;
    if (!copy->path || !build_id)
        return -ENOMEM;
    if (key->build_id_len)
        memcpy(build_id, key->build_id, key->build_id_len);
    return 0;
}

/* A missing table is no error here. */
static int add_table(struct ct_symtab *symtab, const struct ct_elf_file *file, bool full, bool *any)
{
    int r = file ? ct_symtab_add(symtab, file, full) : -ENOENT;

    if (r == 0)
        *any = true;
    return r == -ENOENT ? 0 : r;
}

/* .symtab wherever it is; else what minidebuginfo kept of it; .dynsym and PLT in any case. */
static int read_symbols(struct ct_named_module *module, bool *ret_full, bool *ret_any)
{
    struct ct_symtab *symtab = &module->symtab;
    struct ct_elf_file *main = module->found.main;
    int r = add_table(symtab, module->found.debug, true, ret_full);

    if (r == 0 && !*ret_full)
        r = add_table(symtab, main, true, ret_full);
    *ret_any = *ret_full;
    if (r == 0 && !*ret_full && main && ct_minidebug_open(main, &module->minidebug) == 0)
        r = add_table(symtab, module->minidebug, true, ret_any);
    if (r == 0)
        r = add_table(symtab, main, false, ret_any);
    if (r == 0 && main)
        r = ct_plt_add(symtab, main);
    return r == 0 ? ct_symtab_sort(symtab) : r;
}

static void explain(struct ct_named_module *module, bool full, bool any)
{
    const struct ct_found *found = &module->found;
    const char *path = module->key.path, *from;
    const char *file = found->debug ? found->debug->path : path;

    if (module->debug_info)
        from = "DWARF";
    else if (full)
        from = "symbols without lines";
    else if (any)
        from = module->minidebug ? "symbols of .gnu_debugdata" : "exported symbols only";
    else
        from = NULL;
    if (from)
        snprintf(module->explanation, sizeof(module->explanation), "%s from %s%s", from, file,
                 found->mismatch ? " (the file in its place has another build ID)" : "");
    else if (found->mismatch)
        snprintf(module->explanation, sizeof(module->explanation),
                 "%s has another build ID than the traced one, and no debug file was found", path);
    else
        snprintf(module->explanation, sizeof(module->explanation),
                 found->main ? "%s has no symbols" : "%s is not there, and no debug file was found",
                 path);
}

static int fill(struct ct_named_module *module, const struct ct_symbol_module *key, bool debuginfod)
{
    struct ct_elf_file *file;
    bool full = false, any = false;
    int r = copy_key(&module->key, key);

    if (r == 0)
        r = ct_found_init(&module->found, key, debuginfod);
    if (r != 0)
        return r;
    file = module->found.debug ? module->found.debug : module->found.main;
    if (file && ct_elf_file_has_dwarf(file, &module->section_bytes)) {
        r = ct_debug_info_new(file, &module->debug_info);
        if (r != 0 && r != -ENOENT)
            return r;
    }
    r = read_symbols(module, &full, &any);
    explain(module, full, any);
    return r;
}

int ct_named_module_new(const struct ct_symbol_module *key, bool debuginfod,
                        struct ct_named_module **ret)
{
    struct ct_named_module *module = calloc(1, sizeof(*module));
    int r = module ? fill(module, key, debuginfod) : -ENOMEM;

    if (r == 0)
        *ret = module;
    else
        ct_named_module_free(module);
    return r;
}

void ct_named_module_free(struct ct_named_module *module)
{
    if (!module)
        return;
    ct_debug_info_free(module->debug_info);
    ct_symtab_fini(&module->symtab);
    ct_elf_file_close(module->minidebug);
    ct_found_fini(&module->found);
    free((char *)module->key.path);
    free((uint8_t *)module->key.build_id);
    free(module);
}

bool ct_named_module_is(const struct ct_named_module *module, const struct ct_symbol_module *key)
{
    if (module->key.build_id_len != key->build_id_len)
        return false;
    /* The path counts too: it decides which files are looked at. */
    return strcmp(module->key.path, key->path) == 0 &&
           (!key->build_id_len ||
            memcmp(module->key.build_id, key->build_id, key->build_id_len) == 0);
}

uint64_t ct_named_module_bytes(const struct ct_named_module *module)
{
    uint64_t bytes = sizeof(*module) + module->section_bytes +
                     module->symtab.room * sizeof(*module->symtab.symbols) * 2 +
                     module->symtab.intervals.room * sizeof(*module->symtab.intervals.items);

    return bytes + (module->debug_info ? ct_debug_info_bytes(module->debug_info) : 0);
}

/* The page that two segments share is mapped for both: the executable one is asked first. */
int ct_named_module_vaddr(const struct ct_named_module *module, uint64_t offset, uint64_t *ret)
{
    const struct ct_elf_file *main = module->found.main;
    GElf_Phdr segment;
    size_t count;

    if (!main || elf_getphdrnum(main->elf, &count) != 0)
        return -ENOENT;
    for (int executable = 1; executable >= 0; executable--)
        for (size_t i = 0; i < count; i++) {
            if (!gelf_getphdr(main->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
                (segment.p_flags & PF_X ? 1 : 0) != executable)
                continue;
            if (offset < segment.p_offset || offset - segment.p_offset >= segment.p_filesz)
                continue;
            *ret = segment.p_vaddr + (offset - segment.p_offset);
            return 0;
        }
    return -ERANGE;
}
