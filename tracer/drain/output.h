/* Trace files by name: opened anew, an older one kept as PATH.old; files of a family named by pid. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Makes `path`, mode 0600, with the head of a trace in it, so that what is left is a trace whenever we are killed.
 * Where the disk is full it may be empty.  Returns 0, -EEXIST, or another negative errno.
 */
int ct_trace_file_create(const char *path, int *ret);

/* Bytes of the head that the maker of the file has put into it, for ct_consumer_init: 0 when there is anything else. */
uint64_t ct_trace_file_head(int fd);

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
