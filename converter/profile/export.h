/* Makes a pprof profile of what was gathered from events. */
#pragma once

#include "converter/profile/collect.h"
#include "converter/profile/profile.h"

/* The profiles that Go's names stand for; `heap` and `allocs` have the same values and differ in what is shown first. */
enum ct_export_kind {
    CT_EXPORT_CPU, CT_EXPORT_HEAP, CT_EXPORT_ALLOCS, CT_EXPORT_BLOCK, CT_EXPORT_MUTEX, CT_EXPORT_THREADCREATE, CT_EXPORT_END
};

/* "cpu", "heap" ...; and the kind of a name, CT_EXPORT_END when it is none. */
const char *ct_export_name(enum ct_export_kind kind);
enum ct_export_kind ct_export_kind(const char *name);

/* Where names of code addresses come from. */
struct ct_export_names {
    /* The frames of a return address, innermost first; their number, 0 when nothing is known.  Borrowed until the next call. */
    size_t (*frames)(void *context, uint64_t pc, const struct ct_read_frame **ret);
    void *context;
};

/* An empty profile of that kind.  Caller frees with ct_profile_free.  0, -ENOMEM or -EFBIG. */
int ct_export_new(enum ct_export_kind kind, struct ct_profile **ret);

/*
 * Adds what `c` holds of one program; `names` may be NULL.  Several programs may be added to one profile, one after the
 * other.  0, -ENOMEM, or -EFBIG when it would not fit a profile's limits.
 */
int ct_export_add(struct ct_profile *profile, enum ct_export_kind kind, const struct ct_collect *c,
                  const struct ct_export_names *names);

/* The program's modules as mappings, the program itself first; what ct_export_add begins with. */
int ct_export_add_modules(struct ct_profile *profile, const struct ct_collect *c);

/* Gives names to the locations from number `first` on, and says in the mappings whose locations all have them. */
int ct_export_add_names(struct ct_profile *profile, uint32_t first, const struct ct_export_names *names);
