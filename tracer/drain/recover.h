/* Folding what killed programs left in shared memory into their traces. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "drain/dead.h"
#include "drain/scan.h"
#include "format/error.h"

/* How one arena fared. */
struct ct_recovery {
    const struct ct_dead *dead;     /* borrowed */
    const char *path;               /* file that it went to; NULL: nowhere */
    uint64_t bytes;                 /* that were added to it */
    int result;                     /* 0 or a negative errno */
    const char *text;               /* why it failed, or what is special; NULL: nothing */
};
typedef void ct_recover_report(void *context, const struct ct_recovery *r);

struct ct_recover_options {
    const char *path;               /* only what belongs to this trace, or to the family in this folder; NULL: all of this user's */
    ct_recover_report *report;      /* may be NULL */
    void *context;
    unsigned patience_ms;           /* for somebody who reads or folds the same */
};

/*
 * Whether what a dead arena holds belongs to `path`, without links in it, of which `st` tells: a trace, or a folder that holds
 * a trace.out and those of its children.
 */
bool ct_recover_is_of(const struct ct_dead *dead, const char *path, const struct stat *st);

/*
 * Folds dead arenas into their files and removes them; `options` may be NULL.  One whose file was deleted is dropped;
 * one whose file cannot be told from another gets a file of its own, PATH.recovered.
 * Returns how many were folded, or a negative errno when one that was asked for could not be.
 */
int ct_recover_all(const struct ct_recover_options *options);

/*
 * The same for one session, which the caller drained until now: programs that were killed before they could say that
 * they are there.  Returns how many were folded.
 */
int ct_recover_session(struct ct_session_dir *s, const struct ct_recover_options *options);

/*
 * Drains what the trace behind `fd` lacks of its dead arena, changing nothing: a file head, then blocks that continue it.
 * Waits for somebody who is folding it just now.  `*ret` is what the trace held when its tail was taken.
 * Returns a memfd (the caller's), -ENOENT when there is no such arena, or another negative errno.
 */
int ct_recover_tail(int fd, struct ct_scan *ret);
