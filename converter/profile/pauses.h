/* The allocator's pauses: times in which a thread waited for memory from the kernel, or for a collector of the program. */
#pragma once

#include <stdint.h>

enum { CT_PAUSES = 256 };

/* The last one is at (count + CT_PAUSES - 1) % CT_PAUSES; places that were not used yet are 0. */
struct ct_pauses {
    uint64_t count;
    int64_t total_ns;
    int64_t ns[CT_PAUSES];              /* how long */
    int64_t end_ns[CT_PAUSES];          /* CLOCK_REALTIME */
};

static inline void ct_pauses_add(struct ct_pauses *p, int64_t ns, int64_t end_ns)
{
    p->ns[p->count % CT_PAUSES] = ns;
    p->end_ns[p->count % CT_PAUSES] = end_ns;
    p->count++;
    p->total_ns += ns;
}
