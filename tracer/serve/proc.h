/* What the kernel tells of a process in /proc, also when its first thread has ended and others go on. */
#pragma once

#include <sys/types.h>

/*
 * Opens /proc/PID/NAME to be read: a descriptor that no child inherits, or a negative errno.  The first thread's are empty when
 * it has ended (pthread_exit() in main): then those of a thread that has not.
 */
int ct_proc_open(pid_t pid, const char *name);
/* The same of the first thread in any case, which adds up what all threads of the process did (stat). */
int ct_proc_open_first(pid_t pid, const char *name);
