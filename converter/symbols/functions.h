/* The functions of one compilation unit and what was inlined into them, where. */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "converter/symbols/intervals.h"
#include "converter/symbols/symbols.h"

struct ct_function;

/* Zeroed is empty.  The Dwarf must stay open as long. */
struct ct_functions {
    struct ct_function *items;
    size_t count, room;
    struct ct_intervals intervals;
    bool listed, deep; /* deep: nested functions and those within types are listed too */
};

/*
 * The DIEs that hold `vaddr` in the unit whose DIE is `unit`: the function first, then what was
 * inlined into what, innermost last.  Lists the unit's functions when that was not done before.
 * `*work` is counted down by each DIE looked at, and ends the search at 0.
 * Returns 0 and a count (0: no function has it), or -ENOMEM.
 */
int ct_functions_find(struct ct_functions *functions, Dwarf_Die *unit, uint64_t vaddr,
                      uint64_t *work, Dwarf_Die ret_chain[CT_SYMBOL_FRAMES_MAX],
                      unsigned *ret_count);

uint64_t ct_functions_bytes(const struct ct_functions *functions);

void ct_functions_fini(struct ct_functions *functions);
