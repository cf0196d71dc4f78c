/* What every thread of a program is doing at one moment: rows that the control thread writes and `ctrace` reads. */
#pragma once

#include <stdint.h>

#include "format/limits.h"

enum { CT_DUMP_DEPTH = 64 };

enum ct_dump_flag {
    CT_DUMP_RUNNING = 1,                /* on a CPU or wanting one: nobody can say where without stopping it */
    CT_DUMP_CUT = 2,                    /* callers are missing */
};

struct ct_thread_dump {
    uint32_t tid;
    uint32_t state;                     /* the kernel's letter: R S D T Z; 0 unknown */
    uint32_t flags, depth;
    uint64_t what, object;              /* as in struct ct_arena_thread; 0 when it is not known there */
    uint64_t since_ns;                  /* how long it has been at `what`; 0 unknown */
    char name[CT_NAME_MAX];
    uint64_t pcs[CT_DUMP_DEPTH];        /* return addresses, innermost first */
};
