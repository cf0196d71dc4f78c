/* The values of one of a program's own profiles: rows that the control thread writes and `ctrace` reads. */
#pragma once

#include <stdint.h>

#include "format/limits.h"

/* One value: how the program came to add it. */
struct ct_value_dump {
    uint32_t depth, cut;                /* cut: 1 when callers are missing */
    uint64_t pcs[CT_VALUE_DEPTH];       /* return addresses, innermost first */
};
