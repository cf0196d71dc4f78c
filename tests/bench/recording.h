/* A recording within this very program: the recorder linked in, and a thread that drains it into a file. */
#pragma once

#include <stdint.h>

/*
 * Starts recording everything into `path` with an arena of `buffer` bytes (0: the default).  The drainer keeps off the
 * CPU of the calling thread when there is another.  Exits with a sentence when it cannot.  One at a time.
 */
void recording_start(const char *path, uint64_t buffer);
/* Stops it; the file is whole then.  Returns the events that were lost. */
uint64_t recording_stop(void);
