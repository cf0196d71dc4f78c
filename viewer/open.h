/* Opening traces by path, with what is not in the file: the arena of a killed program, the older half of a ring. */
#pragma once

#include <stddef.h>

#include "converter/bt2/ctf_in.h"
#include "converter/read/reader.h"

/* Inputs for ct_reader_open, and what they borrow. */
struct ct_opened {
    const struct ct_ctf_options *ctf;   /* to be set before, borrowed: how CTF is read; NULL: as usual */
    struct ct_read_input *inputs;
    size_t count;
    struct ct_opened_tail *tails;   /* one an input */
};

/*
 * Makes an input of each path.  One whose file is cut gets, as its tail, what is still in shared memory; nothing is
 * changed by that.  Paths are borrowed until ct_opened_fini, which comes after ct_reader_close.
 * A directory, and an archive, is one of CTF, which is read whole, into a file without a name.
 * Returns 0, or negative with `err`: -ENOMEM, or what is wrong with CTF.  Any other path that cannot be opened is for
 * ct_reader_open to complain about.
 */
int ct_opened_init(const char *const *paths, size_t count, struct ct_opened *ret, struct ct_error *err);
/* Whether `path` is a live session of LTTng's, net://RELAY/host/HOST/SESSION, and no file. */
bool ct_opened_is_live(const char *path);
/* Whether it is CTF: such a session, a directory, or an archive. */
bool ct_opened_is_ctf(const char *path);
/* Looks up names for inputs that hold none, for whoever shows them; what cannot be found stays an address. */
void ct_opened_add_names(struct ct_opened *opened);
/* Takes a zeroed one. */
void ct_opened_fini(struct ct_opened *opened);
