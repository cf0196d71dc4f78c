/*
 * Profiles that a program keeps by itself: sets of values, each with the stack by which it was added.  They are kept whether
 * anything is recorded or not, in the program's memory: whoever asks for one later finds what is in it then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/arena.h"

enum { CT_VALUES_MAX = 1 << 16 };       /* of all profiles together */

/*
 * Makes an empty profile; its number, from 1 on.  -EINVAL for a name that is not 1 to 31 letters, digits, `-`, `_` or `.`
 * (not the first), -EEXIST for one that is taken, -ENOSPC when there are too many, -ENOMEM, -EAGAIN as below.
 */
int ct_values_new(const char *name);
/* The number of the profile with this name, or -ENOENT. */
int ct_values_find(const char *name);

/*
 * Puts a value in, or takes it out: about a microsecond.  `skip` frames of the stack are left out, the caller's first.
 * 0, -EINVAL for a profile that there is not or a negative `skip`, -EEXIST or -ENOENT, -ENOSPC when there is no room (it is
 * counted), -ENOMEM; -EAGAIN in a signal handler that interrupted one of these, or when another thread has been stopped in one.
 */
int ct_values_add(int profile, const void *value, int skip);
int ct_values_remove(int profile, const void *value);
/* How many there are in it, or -EINVAL. */
int ct_values_count(int profile);

/* What the arena, which is new, tells of them from now on. */
void ct_values_show(void);
/* Writes a struct ct_value_dump for each value of the profile into `fd`; their number, or a negative errno.  Control thread. */
int ct_values_dump(unsigned profile, int fd, bool (*go_on)(void));
