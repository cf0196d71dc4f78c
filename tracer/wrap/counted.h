/*
 * A program counts its threads: in the list /proc/self/task, by the links of that, or as /proc/self/stat and status tell.
 * Some must have a single one before they fork, change namespaces or read the clock of their place; so ours is not in the
 * list, and is gone for the moment in which the kernel counts.  In a program of several threads the number is put right in
 * what was read instead: some look at it ten times a second.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Whether a name, which the kernel has read, is that of the list of a process's threads. */
bool ct_counted_is_list(const char *path);

/* Whether an entry of the folder behind `fd`, or of that name, is a thread of ours, in such a list.  Keep errno. */
bool ct_counted_hides(int fd, const char *name);
bool ct_counted_hides_in(const char *path, const char *name);

/* Leaves those out of what getdents64() or getdents() wrote, whose names begin at `name_at`; returns how many bytes are left. */
long ct_counted_listed(int fd, void *entries, long size, size_t name_at);

/* The descriptor of a file that tells how many threads this program has; -1: none.  Relaxed: a hint. */
extern _Atomic int ct_counted_fd __attribute__((visibility("hidden")));

/* Such a file, if that is what `path` is, was opened; or a stream on it, which is then read as far as it goes. */
void ct_counted_opened(int fd, const char *path);
void ct_counted_streamed(FILE *stream, const char *path);

/* read() of that descriptor; errno is read()'s. */
ssize_t ct_counted_read(int fd, void *to, size_t size);
