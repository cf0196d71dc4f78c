/* The trace file of trace_start(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Fills in %p, %t, %h, %q{VARIABLE}.  0, -EINVAL for another field, -ENAMETOOLONG. */
int api_output_name(const char *pattern, char *to, size_t size);
/*
 * A folder gets trace.out; one that ends in '/' and is missing is made (`*ret_made` is where its name ends in `path`, else 0).
 * 0 or a negative errno.
 */
int api_output_into_folder(char *path, size_t size, size_t *ret_made);
/*
 * Opens it, mode 0600.  A file that is there becomes path.old (`*ret_moved`); what is no file (a pipe, a device) is
 * opened as it is.  A descriptor or a negative errno; nothing is changed then.
 */
int api_output_open(const char *path, bool *ret_moved);
/* Nothing came of it: closes and removes the file, and the older one gets its name back. */
void api_output_undo(const char *path, int fd, bool moved);
