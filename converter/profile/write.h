/* A profile as the gzipped profile.proto that every pprof tool reads. */
#pragma once

#include "converter/profile/profile.h"

/* Takes the next bytes (`size` may be 0); 0, or a negative errno, which ends the writing and is returned from it. */
typedef int ct_profile_sink(void *context, const void *bytes, size_t size);

/*
 * Writes the profile piece by piece: what it takes beside the profile does not grow with it.  Texts that are not UTF-8
 * are made so.  Returns 0, -ENOMEM, or what the sink returned.
 */
int ct_profile_write(const struct ct_profile *profile, ct_profile_sink *sink, void *context);

/* The same without gzip. */
int ct_profile_write_plain(const struct ct_profile *profile, ct_profile_sink *sink, void *context);
