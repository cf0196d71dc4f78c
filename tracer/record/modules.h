/* The modules (program, libraries, vdso) whose code may stand in stacks.  Control thread only. */
#pragma once

#include "format/arena.h"

/* Looks into /proc/self/maps and appends rows for modules that are new.  Returns how many, or a negative errno. */
int ct_modules_scan(struct ct_arena *a);
/* Forgets what was found: the next scan starts anew (a new arena, a forked child). */
void ct_modules_forget(void);
