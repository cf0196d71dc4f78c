/* Traces that are still being written: which they are, what they got, and when no more comes. */
#pragma once

#include "converter/index/index.h"
#include "format/error.h"

struct ct_following;
struct ct_ctf_options;

/*
 * Looks whether any of the files is being written just now, or is a live session (net://).  1 with `*ret`; 0: none is, they
 * can be read as ever; negative with `err`.  With `alone` files of processes that begin later are not taken in.  `ctf` is for
 * live sessions; borrowed until the return.
 */
int ct_following_new(const char *const *paths, size_t count, bool alone, const struct ct_ctf_options *ctf,
                     struct ct_following **ret, struct ct_error *err);

/*
 * To be called before the inputs are read, by the thread that looks for more: reads what are folders and archives of CTF among them, which
 * may take long, and has functions named from then on.  `ctf` as above.  0, or negative with `err`; once more does nothing.
 */
int ct_following_prepare(struct ct_following *f, const struct ct_ctf_options *ctf, struct ct_error *err);

/* Takes NULL.  After the reader. */
void ct_following_free(struct ct_following *f);

/* What is to be read; stays when more comes. */
const struct ct_read_input *ct_following_inputs(const struct ct_following *f, size_t *ret_count);

/* Waits a fraction of a second, then looks what there is, as struct ct_index_source has it. */
void ct_following_grow(struct ct_following *f, struct ct_index_growth *ret);
