/* What a thread waits for and who has it: what the program's memory says, which is believed only as far as it fits. */
#pragma once

#include <stdbool.h>

#include "format/thread_dump.h"

/* Fills lock, lock_kind, holder, readers and switches of a row, and sets or clears CT_DUMP_TIMED.  Control thread. */
void ct_dump_lock(struct ct_thread_dump *row);
/*
 * Whether all that is still so and the thread has not run in between.  Asked after all rows were filled: what holds of
 * several of them then held at one moment.
 */
bool ct_dump_settled(const struct ct_thread_dump *row);
