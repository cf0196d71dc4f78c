/* Trace files by name: opened anew, an older one kept as PATH.old; files of a family named by pid. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Opens `path` for writing, mode 0600.  A file that is there becomes PATH.old first; what is no file (a pipe, a
 * device) is opened as it is.  Returns 0 or a negative errno; nothing is changed on failure.
 */
int ct_trace_file_open(const char *path, int *ret);

/*
 * Opens the trace of process `pid` of the family of `path`: PATH.PID, or PATH.PID.N when that is taken.  `name` gets
 * its path.  Returns 0 or a negative errno.
 */
int ct_trace_file_open_child(const char *path, pid_t pid, char *name, size_t size, int *ret);

/* The name under which the older half of a ring is kept beside `path`.  False when it does not fit. */
bool ct_trace_file_ring_name(const char *path, char *name, size_t size);
