/* The profile sink: a trace's samples, waits and allocations as one gzipped pprof profile. */
#pragma once

#include "converter/output.h"
#include "converter/profile/export.h"
#include "converter/read/reader.h"

/* Told that `count` more items were read, up to `ns`; may be NULL. */
typedef void ct_sink_profile_watch(void *context, size_t count, int64_t ns);

/*
 * Reads to the end and writes the profile of all programs in it.  What stands before damage is written too.
 * Returns 0, or negative with `err`: damage (written nevertheless), -ENOMEM (nothing is written), -EFBIG.
 */
int ct_sink_profile(struct ct_reader *reader, enum ct_export_kind kind, struct ct_output *out, ct_sink_profile_watch *watch,
                    void *context, struct ct_error *err);
