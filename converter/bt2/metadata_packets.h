/* CTF metadata in packets, as LTTng writes it, looked at before babeltrace2 does. */
#pragma once

#include <stddef.h>

#include "format/error.h"

/* 0 when the file is text, or packets that are all there; -ENODATA with `err` when the last of them is cut. */
int ct_ctf_check_metadata(const char *path, struct ct_error *err);

/* The text of `folder`'s metadata, out of its packets where it is in some; the caller frees it.  NULL: none, or too much. */
char *ct_ctf_metadata_text(int folder, size_t *ret_size);
