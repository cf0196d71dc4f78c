/* The table made from statedump.def. */
#include "converter/bt2/dump.h"

const struct ct_dump_info ct_dumps[CT_DUMP_END] = {
#define FIELD(type, name) { CT_TYPE_##type, #name },
#define DUMP(NAME, doc, ...) [CT_DUMP_##NAME] = { #NAME, doc, { __VA_ARGS__ } },
#include "converter/bt2/statedump.def"
};
