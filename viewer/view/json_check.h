/* Whether some bytes are one JSON object, before they are kept for a page to read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CT_JSON_DEPTH_MAX = 64 };

/* UTF-8, RFC 8259, an object at the top, nested at most CT_JSON_DEPTH_MAX deep. */
bool ct_json_is_object(const char *text, size_t size);
