/* CTF, read into a trace that the reader can open. */
#pragma once

#include "converter/bt2/ctf_in.h"

/*
 * Reads the CTF at `place`, a directory or a live session, in a process of its own: what babeltrace2 dies of costs one sentence.
 * Returns 0 and a file without a name, which is the caller's to close; or negative with `err`.  A live session whose relay
 * fails gives what had arrived, and says so on stderr.  options: NULL, or what the user says of ranges; which events were none
 * is said on stderr as well.
 */
int ct_import_ctf(const char *place, const struct ct_ctf_options *options, int *ret_fd, struct ct_error *err);
