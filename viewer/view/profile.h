/* A profile as the viewer opens it, with the one to compare it with. */
#pragma once

#include "converter/profile/profile.h"
#include "format/error.h"

struct ct_doc;

struct ct_view_profile {
    struct ct_profile *own;
    struct ct_profile *base;        /* NULL: there is none to compare with */
};

/*
 * Reads a profile, and `base` (NULL: none) that must have the same sample types, and looks up names that are missing.
 * 0, or negative with `err`: -EINVAL when a file is no profile.
 */
int ct_view_profile_open(const char *path, const char *base, struct ct_view_profile *ret, struct ct_error *err);
void ct_view_profile_fini(struct ct_view_profile *p);

/* Members of a JSON object: sample types, comments, time, duration, whether there is a base. */
void ct_view_profile_describe(const struct ct_view_profile *p, struct ct_doc *doc);
