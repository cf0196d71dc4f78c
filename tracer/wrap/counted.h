/*
 * A program counts its threads: in the list /proc/self/task, by the links of that, or as /proc/self/stat and status tell.
 * Some must have a single one before they fork, change namespaces or read the clock of their place; so ours is not in the
 * list, and is gone for the moment in which the kernel counts.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

/* Whether a name, which the kernel has read, is that of the list of a process's threads. */
bool ct_counted_is_list(const char *path);

/* Whether an entry of the folder behind `fd` is a thread of ours, in such a list. */
bool ct_counted_hides(int fd, const char *name);

/* The descriptor of a file that tells how many threads this program of one has, before the first read; -1: none.  Relaxed: a hint. */
extern _Atomic int ct_counted_fd __attribute__((visibility("hidden")));

/* Such a file, if that is what `path` is, was opened; or a stream on it, which is then read as far as it goes. */
void ct_counted_opened(int fd, const char *path);
void ct_counted_streamed(FILE *stream, const char *path);
