/* Names for the entries of the procedure linkage table: "read@plt". */
#pragma once

#include "converter/symbols/symtab.h"

/*
 * Adds a symbol for each entry of `file` whose target is known.  0 or -ENOMEM; at most once a
 * table.
 */
int ct_plt_add(struct ct_symtab *symtab, const struct ct_elf_file *file);
