/* Samples: stacks of addresses with values and labels; equal ones become one, whose values are their sums. */
#pragma once

#include "converter/profile/profile.h"

/*
 * Adds `values` (as many as the profile has types) to the sample of that stack with these labels, whatever their order.
 * Sums stop at the limits of int64_t.  `*ret` (may be NULL) is the sample.
 * 0, -EINVAL (no such stack, a text that does not exist), -ENOMEM, -EFBIG.
 */
int ct_profile_add_sample(struct ct_profile *profile, uint32_t stack, const int64_t *values,
                          const struct ct_profile_label *labels, size_t label_count, uint32_t *ret);

/* A label with a text, or with a number (`unit` NULL: none).  0, -ENOMEM or -EFBIG. */
int ct_profile_text_label(struct ct_profile *profile, const char *key, const char *text, struct ct_profile_label *ret);
int ct_profile_number_label(struct ct_profile *profile, const char *key, int64_t number, const char *unit,
                            struct ct_profile_label *ret);

/* What the innermost of a stack's addresses is; the others are always where a call returns to. */
enum ct_profile_leaf {
    CT_PROFILE_LEAF_EXACT,      /* an instruction that was interrupted: CPU samples */
    CT_PROFILE_LEAF_RETURN,     /* where a call returns to: whatever a wrapper recorded */
};

/*
 * The stack of `depth` program counters, innermost first, in the mappings added so far.  Return addresses become those of
 * their calls.  A frame of address 0 ends it; frames beyond CT_PROFILE_DEPTH_MAX are left out.
 */
int ct_profile_add_pcs(struct ct_profile *profile, const uint64_t *pcs, size_t depth, enum ct_profile_leaf leaf,
                       uint32_t *ret);

/* A stack of one frame that is no code: a word in the place of a function. */
int ct_profile_add_word(struct ct_profile *profile, const char *word, uint32_t *ret);

/* Whether an address is in it that lies in none of its mappings. */
bool ct_profile_has_strays(const struct ct_profile *profile);

/* a + b, but not beyond the limits. */
int64_t ct_profile_sum(int64_t a, int64_t b);
