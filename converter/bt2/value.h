/* A field's value on its way into a message of babeltrace2. */
#pragma once

#include <babeltrace2/babeltrace.h>

#include "format/tables.h"

struct ct_bt2_value {
    uint64_t number;            /* every type that is one; INT, RESULT and FD as int64_t */
    struct ct_text text;        /* STRING and TEXT */
    const uint64_t *pcs;        /* STACK, innermost first */
    uint32_t depth;
    bool open;                  /* the root side of the stack is missing, or with depth 0 all of it: told by a last 0 */
};

/* The class of a field of schema type `type`; `kinds`: its numbers are those of fdkinds.def.  NULL without memory. */
bt_field_class *ct_bt2_field_class(bt_trace_class *trace, unsigned type, bool kinds);

/* Sets a field of that class.  0 or -ENOMEM. */
int ct_bt2_set(bt_field *field, unsigned type, const struct ct_bt2_value *value);
