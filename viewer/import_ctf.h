/* CTF, read into a trace that the reader can open. */
#pragma once

#include "format/error.h"

/*
 * Reads the CTF at `place`, a directory or a live session, in a process of its own: what babeltrace2 dies of costs one sentence.
 * Returns 0 and a file without a name, which is the caller's to close; or negative with `err`.  A live session whose relay
 * fails gives what had arrived, and says so on stderr.
 */
int ct_import_ctf(const char *place, int *ret_fd, struct ct_error *err);
