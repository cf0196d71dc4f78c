/* DWARF of one module: which functions, inlined where, from which line, hold an address. */
#pragma once

#include <stdint.h>

#include "converter/symbols/elf_file.h"
#include "converter/symbols/symbols.h"

struct ct_debug_info;

/*
 * Lists the compilation units of `file`, which must stay open until ct_debug_info_free; functions
 * and lines of a unit are read when an address falls into it.
 * -ENOENT when there is no DWARF libdw can read, -ENOMEM.
 */
int ct_debug_info_new(const struct ct_elf_file *file, struct ct_debug_info **ret);

/* Takes NULL. */
void ct_debug_info_free(struct ct_debug_info *info);

/*
 * Innermost frame first, linkage names as they stand in the file.  `function` may be NULL in the
 * last (outermost) frame: the line is known, the function is not (assembler).  `*ret_directory` is
 * where relative files lie, NULL when that is not known.
 * Returns 0 and a count (0: unknown address), or -ENOMEM.  Borrowed until ct_debug_info_free.
 */
int ct_debug_info_resolve(struct ct_debug_info *info, uint64_t vaddr,
                          struct ct_symbol_frame *frames, unsigned max, unsigned *ret_count,
                          const char **ret_directory);

/*
 * Gives the work of the next call or batch its limit; hostile files run into it, real ones do not.
 */
void ct_debug_info_refill(struct ct_debug_info *info);

/* About how much memory it holds beside the file's sections. */
uint64_t ct_debug_info_bytes(const struct ct_debug_info *info);
