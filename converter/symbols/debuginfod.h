/* Asking the servers of $DEBUGINFOD_URLS for a debug file: only when the user said so. */
#pragma once

#include "converter/symbols/elf_file.h"

/*
 * May wait for the network as long as $DEBUGINFOD_TIMEOUT allows.  0, -ENOSYS when the machine has
 * no libdebuginfod (it is looked for at run time, not linked), or what the client said.
 */
int ct_debuginfod_find(const uint8_t *build_id, size_t build_id_len, struct ct_elf_file **ret);
