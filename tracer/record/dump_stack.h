/* Where a thread is that does not run, and its stack, by /proc and by memory that may vanish.  Control thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "format/thread_dump.h"

/* What /proc/self/task/TID/syscall says. */
struct ct_place {
    int64_t call;                       /* -1: it waits, but not in a system call */
    uint64_t arguments[6], sp, pc;
};

/* False while the thread runs, or when it cannot be told. */
bool ct_place_read(uint32_t tid, struct ct_place *ret);

/* Fills call, depth, pcs and flags of the row, for a thread that waits; false, with CT_DUMP_RUNNING, when it does not. */
bool ct_dump_stack(struct ct_thread_dump *row);
