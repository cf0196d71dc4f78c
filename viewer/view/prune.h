/* Leaving out frames that a profile says nobody wants to see: the inside of an allocator, say. */
#pragma once

#include "converter/profile/profile.h"

/*
 * What `drop_frames` names goes, with all it calls, unless `keep_frames` names it too; what no other function has called
 * stays, or there would be nothing.  Both are regular expressions for whole names without arguments, as for `go tool pprof`; an
 * expression that is none, or too hard, drops nothing.  Cuts stacks and locations where they are: no rows are to be added after.
 * 0 or -ENOMEM.
 */
int ct_view_prune(struct ct_profile *profile);
