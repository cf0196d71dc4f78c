/* Names for the addresses of profiles: functions, files, lines and inlined frames, from the files that were mapped. */
#pragma once

#include "converter/profile/profile.h"

/*
 * Opened files, and the names that were found, are kept from one profile to the next, by build ID and within limits.
 * One thread at a time.
 */
struct ct_symbolizer;

/* `flags` as for ct_symbols_new_flags: within somebody else's program 0.  Caller frees with ct_symbolizer_free. */
int ct_symbolizer_new(unsigned flags, struct ct_symbolizer **ret);

/* Takes NULL. */
void ct_symbolizer_free(struct ct_symbolizer *symbolizer);

/* Beyond so many bytes of names all are forgotten; 32 MiB if not said otherwise. */
void ct_symbolizer_limit(struct ct_symbolizer *symbolizer, uint64_t bytes);

/*
 * Gives lines to the locations that have none, where something is known, and tells each mapping what all of its locations have.
 * Returns 0, -ENOMEM, or -EFBIG when the profile has no room for the names; it is whole in any case.
 */
int ct_symbolize(struct ct_symbolizer *symbolizer, struct ct_profile *profile);

/* How often an address had to be looked up in a file, since the symbolizer is there. */
uint64_t ct_symbolizer_lookups(const struct ct_symbolizer *symbolizer);
