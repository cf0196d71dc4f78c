/* The numbers that recorder, drainer and reader must agree on; each stands here once. */
#pragma once

enum {
    CT_FORMAT_MAJOR = 1,            /* a reader refuses a newer major */
    CT_FORMAT_MINOR = 0,            /* a reader reads any minor: new events and blocks are skipped by length */

    CT_TICK_SHIFT = 4,              /* a tick is 2^4 TSC cycles */
    CT_SLICE_UNIT = 4096,           /* slices are multiples of this and aligned to it */
    CT_SLICE_MAX_UNITS = 16,        /* 64 KiB: the largest slice */
    CT_EVENT_FIELDS_MAX = 8,        /* fields of one event */
    CT_EVENT_FIXED_MAX = 120,       /* bytes of the longest event without inline text: 1 + 10 + 8 * 11 < 120 */
    CT_EVENT_TEXT_MAX = 1024,       /* inline text of one event; longer texts are cut */
    CT_STRING_MAX = 1024,           /* an interned string; longer ones are cut */
    CT_STACK_MAX = 128,             /* frames of one stack; the root side is cut and flagged */
    CT_STACK_DEFAULT = 64,          /* frames captured unless CTRACE_STACK_DEPTH says otherwise */
    CT_CPU_RATE_DEFAULT = 100,      /* samples a second of CPU time */
    CT_CPU_RATE_MAX = 1000,         /* kernels look 100 to 1000 times a second; more would be a flood of handlers */
    CT_SIGNAL_REALTIME = 34,        /* the first real-time signal that libc leaves to programs */
    CT_SIGNAL_MAX = 64,
    CT_HEAP_RATE_DEFAULT = 512 << 10,   /* mean bytes between sampled allocations */
    CT_HEAP_RATE_MAX = 1 << 30,
    CT_NAME_MAX = 16,               /* a thread's name with its NUL, as the kernel's */
    CT_VALUE_PROFILES = 16,         /* profiles that a program has of its own (trace_profile_new) */
    CT_VALUE_NAME = 32,             /* the name of one with its NUL */
    CT_VALUE_DEPTH = 32,            /* frames of the stack by which a value was added, as in Go */
    CT_LABELS_TEXT = 992,           /* bytes of a thread's labels: keys and values, each with its NUL */
    CT_BUILD_ID_MAX = 32,
    CT_PATH_MAX = 4096,
    CT_UUID_SIZE = 16,

    CT_BLOCK_MAX = 16 << 20,        /* payload of one block; a reader refuses a longer one */
    CT_GENERATION_NS = 1000000000,  /* a generation is turned after this time at the latest */
    CT_CALM_S = 8,                  /* the same in seconds, while nobody looks and only what comes rarely is recorded */
    CT_DRAIN_NS = 10000000,         /* the drainer looks this often while the gate is open */
};
