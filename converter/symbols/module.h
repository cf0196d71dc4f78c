/* One module with everything that is known about its names, opened. */
#pragma once

#include <stdbool.h>

#include "converter/symbols/debug_info.h"
#include "converter/symbols/find.h"
#include "converter/symbols/symtab.h"

struct ct_named_module {
    struct ct_symbol_module key; /* its own copy */
    struct ct_found found;
    struct ct_elf_file *minidebug;
    struct ct_debug_info *debug_info; /* NULL without DWARF */
    struct ct_symtab symtab;
    uint64_t section_bytes; /* of DWARF, once unpacked */
    uint64_t last_use;
    char explanation[512];
};

/*
 * Finds and opens what there is; nothing at all is no error.  Caller frees with
 * ct_named_module_free.
 */
int ct_named_module_new(const struct ct_symbol_module *key, bool debuginfod,
                        struct ct_named_module **ret);

/* Takes NULL. */
void ct_named_module_free(struct ct_named_module *module);

bool ct_named_module_is(const struct ct_named_module *module, const struct ct_symbol_module *key);

/* About how much memory it takes. */
uint64_t ct_named_module_bytes(const struct ct_named_module *module);

/* The address in the file of byte `offset` of it; -ENOENT without the file, -ERANGE. */
int ct_named_module_vaddr(const struct ct_named_module *module, uint64_t offset, uint64_t *ret);
