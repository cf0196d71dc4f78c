/* Several profiles as one: sums, differences, averages. */
#pragma once

#include "converter/profile/profile.h"
#include "format/error.h"

struct ct_profile_part {
    const struct ct_profile *profile;   /* borrowed until the merge returns */
    double scale;                       /* its values count so many times: 1, or -1 to take it away */
};

/*
 * Sums equal stacks with equal labels of one or more profiles.  Stacks are equal whose frames lie at the same place of the
 * same file, by build ID or else by name, wherever it was mapped; what sums to zero is left out.  Sample types must be
 * the same in number, order and name.  The first part gives the period's type, the default type and the frames to drop;
 * the time is the earliest, durations of parts that are not taken away are added up, the period is the longest.
 * 0; -EINVAL (`err`, which may be NULL, says why the parts do not go together), -EFBIG, -ENOMEM.  Caller frees with ct_profile_free.
 */
int ct_profile_merge(const struct ct_profile_part *parts, size_t count, struct ct_profile **ret, struct ct_error *err);

/* What was added between two profiles: `after` less `before`, of the time and duration between them as net/http/pprof has it. */
int ct_profile_subtract(const struct ct_profile *after, const struct ct_profile *before, struct ct_profile **ret,
                        struct ct_error *err);
