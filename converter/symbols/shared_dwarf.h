/* DWARF that several files share (.gnu_debugaltlink, made by dwz), found without libdw's help. */
#pragma once

#include <elfutils/libdw.h>

#include "converter/symbols/elf_file.h"

/*
 * Opens the file that the DWARF of `file` refers to, if it refers to one: where the link says, or
 * by build ID.  libdw would do it too, but maps the file and waits at a FIFO.
 * Returns 0 with `*ret` NULL when there is no link, -ENOENT when what it names is not there.
 * Caller frees with ct_elf_file_close.
 */
int ct_shared_dwarf_open(const struct ct_elf_file *file, Dwarf *dwarf, struct ct_elf_file **ret);
