/* CTF, read into a trace that the reader can open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "converter/bt2/ctf_in.h"

enum { CT_IMPORTS_MAX = 64 };           /* at once */

/*
 * Reads the CTF at each of `places`, directories or live sessions, in processes of their own and all at the same time: what
 * babeltrace2 dies of costs one sentence.  Returns 0 and files without a name, which are the caller's to close; or negative
 * with `err`, and none.  A live session whose relay fails gives what had arrived, and says so on stderr.  options: NULL, or
 * what the user says of ranges; which events were none is said on stderr as well.
 */
int ct_import_ctf(const char *const *places, size_t count, const struct ct_ctf_options *options, int *ret_fds, struct ct_error *err);
/* Whether what another thread reads so, or begins to, is to end: signals do that only where they are not blocked. */
void ct_import_stop(bool stop);
