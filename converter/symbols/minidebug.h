/* The xz-packed symbol table some distributions leave in stripped files (.gnu_debugdata). */
#pragma once

#include "converter/symbols/elf_file.h"

/*
 * Unpacks `file`'s .gnu_debugdata.  -ENOENT when it has none, -EINVAL when it is damaged, -EFBIG
 * when it would unpack to more than a symbol table can be.  Caller frees with ct_elf_file_close.
 */
int ct_minidebug_open(const struct ct_elf_file *file, struct ct_elf_file **ret);
