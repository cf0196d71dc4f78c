/* A gzip in memory, unpacked no further than allowed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/error.h"

/* Whether the bytes begin as a gzip does. */
bool ct_unpack_is_gzip(const void *bytes, size_t size);

/*
 * Unpacks all members of the gzip to `*ret`, which the caller frees with free().
 * 0, -EINVAL damaged, -ENODATA cut short, -EFBIG more than `max` bytes, -ENOMEM.  `err` may be NULL.
 */
int ct_unpack(const void *bytes, size_t size, size_t max, uint8_t **ret, size_t *ret_size, struct ct_error *err);
