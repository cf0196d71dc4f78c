/* Index files in the user's cache: those used least lately go when they are too many. */
#pragma once

#include <stdint.h>

#define CT_CACHE_MOST (UINT64_C(10) << 30)      /* bytes of all index files in it */

/* Says that the file was used now. */
void ct_cache_touch(const char *path);

/* Removes the oldest index files beside `path` until all of them take `most` bytes; `path` itself stays. */
void ct_cache_trim(const char *path, uint64_t most);
