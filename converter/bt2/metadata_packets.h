/* CTF metadata in packets, as LTTng writes it, looked at before babeltrace2 does. */
#pragma once

#include "format/error.h"

/* 0 when the file is text, or packets that are all there; -ENODATA with `err` when the last of them is cut. */
int ct_ctf_check_metadata(const char *path, struct ct_error *err);
