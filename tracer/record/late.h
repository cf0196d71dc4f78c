/* Slices of threads that have ended, whose last destructors still do what is recorded: few, and sealed by those that come after them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the calling thread, which has ended, may take a slice.  Seals one of a thread that is gone for good.  False while
 * too many threads do what this one does.
 */
bool ct_late_admit(void);
/* It took the slice that begins at this unit. */
void ct_late_took(uint32_t unit);
/* In a forked child: there are none. */
void ct_late_forget(void);
