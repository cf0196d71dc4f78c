/* A profile as a tree of calls, as a flame graph draws it, beside another one to compare with; and its functions as a table. */
#pragma once

#include "converter/profile/profile.h"
#include "format/error.h"

enum { CT_FLAME_NODES_MAX = 1 << 22 };          /* more stacks than a picture has room for */

/* A function; or what is known instead of it: the file of code that no function is known of, or nothing at all. */
struct ct_flame_frame {
    const char *function, *file;                /* "" unknown */
    const char *module;                         /* where it was seen first, "" unknown */
    int64_t line;                               /* where the function begins; 0 unknown */
};

/* `now` and `base` are of the two profiles, in the unit of the sample type. */
struct ct_flame_node {
    uint32_t parent, frame;                     /* node 0 is the root: CT_PROFILE_NONE both */
    bool inlined;                               /* into its parent, where it was seen first */
    int64_t self, total;
    int64_t base_self, base_total;
};

/* Texts belong to the profiles. */
struct ct_flame {
    const char *type, *unit;
    struct ct_flame_frame *frames;
    struct ct_flame_node *nodes;                /* parents before children */
    uint32_t frame_count, node_count;
};

/*
 * The tree of the values of sample type `type`, a number of `now`; `base` (may be NULL) has to have a type of that name.
 * Functions are one frame by name and file.  Both profiles have to outlive the tree.
 * 0; -EINVAL, -EFBIG (more than CT_FLAME_NODES_MAX nodes) with `err`, which may be NULL; -ENOMEM.  Caller frees with ct_flame_free.
 */
int ct_flame_make(const struct ct_profile *now, const struct ct_profile *base, unsigned type, struct ct_flame **ret,
                  struct ct_error *err);

/* Takes NULL. */
void ct_flame_free(struct ct_flame *flame);

/* A function in whatever calls: flat is its own, cum that of all stacks it stands in, once however often. */
struct ct_top_row {
    uint32_t frame;
    int64_t flat, cum;
    int64_t base_flat, base_cum;
};

/* A row for each frame of the tree, what has most of its own - or the largest difference - first.  0 or -ENOMEM; caller frees. */
int ct_flame_top(const struct ct_flame *flame, struct ct_top_row **ret);
