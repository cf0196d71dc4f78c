/* What libc's allocator says of itself, as a thread of the program found it: written by the recorder, read by `ctrace`. */
#pragma once

#include <stdint.h>

enum ct_heap_outcome {
    CT_HEAP_NOBODY,                     /* no thread of the program came by in time */
    CT_HEAP_TOLD,
    CT_HEAP_FOREIGN,                    /* the program's allocator is not libc's */
    CT_HEAP_BUSY,                       /* a thread came, but was not done in time */
    CT_HEAP_STOPPED,                    /* the program is stopped: none can come */
};

/* The fields of mallinfo2() under names that say what they are. */
struct ct_heap_facts {
    uint32_t outcome;
    uint32_t trimmed;                   /* malloc_trim() was called; 2: and gave something back */
    uint64_t took_ns;                   /* of the program's thread */
    uint64_t arena;                     /* bytes of arenas, by brk and by mmap */
    uint64_t in_use, free;              /* bytes of these */
    uint64_t free_chunks;
    uint64_t fast_chunks, fast_free;    /* of the free: kept apart to be had again at once */
    uint64_t top;                       /* free at the end of the heap: what can be given back there */
    uint64_t mapped_blocks, mapped;     /* blocks that are mapped one by one, and their bytes */
};
