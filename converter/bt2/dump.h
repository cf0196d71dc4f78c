/* The tables of a trace as events: numbers of statedump.def, and their fields. */
#pragma once

#include "format/schema.h"

enum { CT_DUMP_FIELDS_MAX = 18, CT_BT2_UNIT_SEPARATOR = 0x1f };

enum ct_dump {
#define FIELD(type, name)
#define DUMP(NAME, doc, ...) CT_DUMP_##NAME,
#include "converter/bt2/statedump.def"
    CT_DUMP_END
};

struct ct_dump_info {
    const char *name, *doc;
    struct ct_field_info fields[CT_DUMP_FIELDS_MAX];    /* the first without a name ends them */
};

extern const struct ct_dump_info ct_dumps[CT_DUMP_END];
