/* Recordings that still go on are followed to their end before they are converted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "format/error.h"

/*
 * Waits as long as somebody records into one of the files (or, without `alone`, into those of processes that began since), or until
 * SIGINT or SIGTERM: then what is there by now is all that is wanted.  Says on stderr that it waits.  A program that is itself recorded there
 * does not wait for its own end, and live sessions have their own way of being followed.
 * Returns 1 when it waited, 0 when there was nothing to wait for, or negative with `err`.
 */
int ct_convert_wait(const char *const *paths, size_t count, bool alone, struct ct_error *err);
