/* What `ctrace record` was asked for: options and CTRACE_* variables, from one table (format/settings.def). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "format/limits.h"
#include "format/settings.h"

struct ct_record_options {
    struct ct_settings settings;
    char **program;                 /* with its arguments, NULL at the end; borrowed */
};

/*
 * Reads CTRACE_* and then the command line (argv[0] is the verb).  Returns 0; 1 when help was printed; -EINVAL when
 * something is wrong, which it has said on stderr.
 */
int ct_record_options(int argc, char **argv, struct ct_record_options *ret);

/*
 * The absolute path of the trace: the pattern with %p (pid), %t (seconds since 1970), %h (host), %q{ENV} and %%
 * filled in; a directory is made if it is missing and gets trace.out.  0 or a negative errno with a line on stderr.
 */
int ct_record_path(const char *pattern, pid_t pid, char ret[CT_PATH_MAX]);
