/* Who this process is, for the RUN block. */
#pragma once

#include "format/arena.h"

/* Fills the identity fields of the head and run[].  Control thread: system calls only. */
void ct_run_describe(struct ct_arena *a);
