/* The symbol tables of a module, sorted: what is known without debug information. */
#pragma once

#include "converter/symbols/elf_file.h"
#include "converter/symbols/intervals.h"

struct ct_symtab_symbol {
    uint64_t low, size, limit; /* `limit` is the end of its section */
    uint32_t rank;
    size_t name_at;   /* of the PLT's names while they are collected */
    const char *name; /* borrowed from the file, or from `owned` */
};

/* Zeroed is empty.  The files it was filled from must stay open until ct_symtab_fini. */
struct ct_symtab {
    struct ct_symtab_symbol *symbols;
    size_t count, room;
    struct ct_intervals intervals;
    char *owned; /* the PLT's names */
};

/* Adds the functions of .symtab (`full`) or of .dynsym of `file`.  0, -ENOENT or -ENOMEM. */
int ct_symtab_add(struct ct_symtab *symtab, const struct ct_elf_file *file, bool full);

/* Adds `name`, which must outlive the table, for [low, low + size). */
int ct_symtab_add_symbol(struct ct_symtab *symtab, const struct ct_symtab_symbol *symbol);

/* To be called after the last add and before the first find. */
int ct_symtab_sort(struct ct_symtab *symtab);

/* The function that holds `vaddr`, or NULL: there is no "nearest".  Borrowed. */
const struct ct_symtab_symbol *ct_symtab_find(const struct ct_symtab *symtab, uint64_t vaddr);

void ct_symtab_fini(struct ct_symtab *symtab);
