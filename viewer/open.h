/* Opening traces by path, with what is not in the file: the arena of a killed program, the older half of a ring. */
#pragma once

#include <stddef.h>

#include "converter/read/reader.h"

/* Inputs for ct_reader_open, and what they borrow. */
struct ct_opened {
    struct ct_read_input *inputs;
    size_t count;
    struct ct_opened_tail *tails;   /* one an input */
};

/*
 * Makes an input of each path.  One whose file is cut gets, as its tail, what is still in shared memory; nothing is
 * changed by that.  Paths are borrowed until ct_opened_fini, which comes after ct_reader_close.
 * Returns 0 or -ENOMEM; a path that cannot be opened is for ct_reader_open to complain about.
 */
int ct_opened_init(const char *const *paths, size_t count, struct ct_opened *ret);
/* Looks up names for inputs that hold none, for whoever shows them; what cannot be found stays an address. */
void ct_opened_add_names(struct ct_opened *opened);
/* Takes a zeroed one. */
void ct_opened_fini(struct ct_opened *opened);
