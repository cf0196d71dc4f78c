/* Who a thread is to the kernel: glibc changes user and groups of all threads that it knows, and ours it does not know. */
#pragma once

#include <stdint.h>

enum { CT_IDENTITY_GROUPS = 64 };

struct ct_identity {
    uint32_t user[3], group[3];     /* real, effective, saved */
    long group_count;               /* negative: more than there is room for */
    uint32_t groups[CT_IDENTITY_GROUPS];
};

/* Reads what the calling thread is. */
void ct_identity_get(struct ct_identity *ret);
/* Makes the calling thread, and no other, the same as `wanted`.  0 or a negative errno: it is something in between then. */
int ct_identity_set(const struct ct_identity *wanted);
