/* The trace that is viewed: which files it is made of, and its index. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "converter/bt2/ctf_in.h"
#include "converter/hosts.h"
#include "converter/index/index.h"
#include "format/error.h"

struct ct_subject;

struct ct_subject_options {
    const char **paths;             /* as they were named; borrowed until ct_subject_close */
    size_t count;
    bool alone;                     /* without the family */
    const char *index_folder;       /* NULL: as usual */
    struct ct_hosts hosts;          /* clocks that were spoken of: their index is not kept */
    struct ct_ctf_options ctf;      /* ranges that were: the same */
};

/* Whether the file holds no trace, and so can only be a profile: 1 or 0; negative with `err` when it cannot be read. */
int ct_subject_is_profile(const char *path, struct ct_error *err);

/* Takes out of the paths the files that ctrace itself makes beside another one of them: a shell's `trace.out*` finds these, too. */
void ct_subject_sift(struct ct_subject_options *options);

/* Finds the files, which become one timeline, and opens the index.  0, or negative with `err`. */
int ct_subject_open(const struct ct_subject_options *options, struct ct_subject **ret, struct ct_error *err);
/* Closes the index, which nobody may use any more.  Takes NULL. */
void ct_subject_close(struct ct_subject *s);

/* Borrowed until the end. */
const char *const *ct_subject_files(const struct ct_subject *s, size_t *ret_count);
struct ct_index *ct_subject_index(const struct ct_subject *s);
/* Whether it was still being written, or is a live session. */
bool ct_subject_is_growing(const struct ct_subject *s);
const char *ct_subject_notes(const struct ct_subject *s);      /* the path for notes */
