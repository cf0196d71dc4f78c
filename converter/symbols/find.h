/* Where the bytes of a module lie on this machine: the file itself and its separate debug file. */
#pragma once

#include <stdbool.h>

#include "converter/symbols/elf_file.h"
#include "converter/symbols/symbols.h"

struct ct_found {
    struct ct_elf_file *main;  /* the file at the path, NULL when missing or of another build ID */
    struct ct_elf_file *debug; /* a separate file with DWARF or .symtab, or NULL */
    bool mismatch;             /* there was a file at the path, and it is another one */
};

/*
 * Looks for the module: at its path, in /usr/lib/debug/.build-id, by .gnu_debuglink, and with
 * `debuginfod` set by asking the servers.  A file of another build ID is never used.
 * Returns 0 whatever was found, -ENOMEM otherwise.  ct_found_fini closes.
 */
int ct_found_init(struct ct_found *found, const struct ct_symbol_module *module, bool debuginfod);

/*
 * The file of that build ID below /usr/lib/debug/.build-id.  -ENOENT or what opening said.  Caller
 * frees with ct_elf_file_close.
 */
int ct_find_debug_file(const uint8_t *build_id, size_t build_id_len, struct ct_elf_file **ret);

void ct_found_fini(struct ct_found *found);
