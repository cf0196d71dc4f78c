/* What is told of a range: texts like "id=7", parted by U+001F. */
#pragma once

#include <stdbool.h>

#include "format/tables.h"

enum { CT_TOLD_SEPARATOR = 0x1f };

struct ct_told {
    struct ct_text name, value, whole;
};

/* Takes the first item off `rest`, which it is borrowed from; false when there is none. */
bool ct_told_next(struct ct_text *rest, struct ct_told *ret);

/* Whether the value is written as a number of JSON. */
bool ct_told_is_number(struct ct_text value);

/*
 * Writes what the end of a range tells besides its beginning: items of `end` that `begin` has not, those whose name it has as
 * "NAME (end)".  `to` has room for `size`; what does not fit is left out.  Returns the bytes, which begin with a separator.
 */
size_t ct_told_besides(struct ct_text begin, struct ct_text end, char *to, size_t size);
