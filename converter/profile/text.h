/*
 * Go's texts for people (debug=1), which pprof's tools read as well.  They are older than profile.proto: the addresses of a
 * record are those calls return to, so each is one more than the profile's, and names stand in comments, with those of calls.
 *
 * Each function writes one profile; a server may add comments of its own ("# ...") behind it, and the mappings last, with
 * which pprof finds names by itself.  They return 0, -EINVAL when the profile has not the sample types it must have, -ENOMEM,
 * or what the sink returned.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "converter/profile/profile.h"
#include "converter/profile/write.h"

/*
 * A profile with alloc_objects, alloc_space, inuse_objects and inuse_space, most bytes in use first.  `raw_rate` is the
 * sampling rate when the values are those of the samples and the reader shall scale them, 0 when that was done.
 */
int ct_profile_text_heap(const struct ct_profile *profile, uint64_t raw_rate, ct_profile_sink *sink, void *context);

/*
 * "threads profile: total 12", the stacks that most have first, by the profile's first value.  White space in `name` becomes
 * "_".  A stack without frames cannot be told but in a comment.
 */
int ct_profile_text_count(const struct ct_profile *profile, const char *name, ct_profile_sink *sink, void *context);

enum ct_profile_contention { CT_PROFILE_BLOCK, CT_PROFILE_MUTEX };

/* A profile with contentions and delay in nanoseconds, already scaled; the longest delays first. */
int ct_profile_text_contention(const struct ct_profile *profile, enum ct_profile_contention which, ct_profile_sink *sink,
                               void *context);

/* The mappings; nothing may follow. */
int ct_profile_text_mappings(const struct ct_profile *profile, ct_profile_sink *sink, void *context);
