/* What every thread of a program is doing at one moment: rows that the control thread writes and `ctrace` reads. */
#pragma once

#include <stdint.h>

#include "format/limits.h"

enum { CT_DUMP_DEPTH = 64 };

enum ct_dump_flag {
    CT_DUMP_RUNNING = 1,                /* on a CPU or wanting one; without a stack when none could be had in time */
    CT_DUMP_CUT = 2,                    /* callers are missing */
    CT_DUMP_SETTLED = 4,                /* it has not run, nor has `holder` changed, from before all rows were read until after */
    CT_DUMP_TIMED = 8,                  /* it waits for `lock` up to a time */
};

/* What `lock` is. */
enum ct_dump_lock {
    CT_DUMP_NO_LOCK,
    CT_DUMP_MUTEX,
    CT_DUMP_RWLOCK,
    CT_DUMP_THREAD,                     /* the thread `holder`, which is to end */
};

/* The file begins with this; then come that many rows, and then the read locks. */
struct ct_dump_head { uint32_t rows, reads; };

/* One thread that read-holds a rwlock, once or more often. */
struct ct_read_dump {
    uint64_t lock;
    uint32_t tid, times;
};

struct ct_thread_dump {
    uint32_t tid;
    uint32_t state;                     /* the kernel's letter: R S D T Z; 0 unknown */
    uint32_t flags, depth;
    uint64_t what, object;              /* as in struct ct_arena_thread; 0 when it is not known there */
    uint64_t since_ns;                  /* how long it has been at `what`; 0 unknown */
    int64_t call;                       /* number of the system call that it is in; -1 none, or not known */
    uint64_t lock;                      /* address of what it waits for; not looked at without a kind */
    uint32_t lock_kind;                 /* enum ct_dump_lock */
    uint32_t holder;                    /* tid of who has it, 0 not known: a number that the program wrote */
    uint32_t readers;                   /* how often a rwlock is read-held: by whom stands behind the rows, as far as it is known */
    uint32_t still_s;                   /* seconds that it has not run, at least; not in what the control thread writes */
    uint64_t switches;                  /* how often it had given up the CPU when `holder` was read */
    char name[CT_NAME_MAX];
    uint64_t pcs[CT_DUMP_DEPTH];        /* return addresses, innermost first */
    uint32_t labels_size;
    char labels[CT_LABELS_TEXT];        /* "key\0value\0" for each */
};
