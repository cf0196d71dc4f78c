/*
 * What a process that cannot be traced tells `ctrace record`: one packet to a socket whose address is no file, so that it
 * gets there from another root and as another user.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define CT_UNTRACED_SOCKET "/untraced"  /* behind the session's directory; in front of that is a NUL (unix(7), abstract) */

struct ct_untraced {
    int32_t error;                      /* negative errno */
    uint32_t rest;
};

/* Why, for a person: "process 7 is not traced: ..."; NULL when there is nothing better to say than the errno.  Never freed. */
static inline const char *ct_untraced_reason(int error)
{
    switch (error) {
    case -EFBIG: return "its files may not be as large as a buffer for events (ulimit -f)";
    case -ENOMEM: return "there is no memory for a buffer for events (ulimit -v)";
    case -EAGAIN: return "its user may have no more processes (ulimit -u)";
    case -EMFILE: return "it may have no more descriptors (ulimit -n)";
    case -ENOSPC: return "there is no room in shared memory for a buffer for events";
    case -EACCES: return "it may not enter the session's directory";
    case -ENOENT: return "the session's directory is not in its root, or gone";
    case -EOPNOTSUPP: return "it may call neither close_range() nor unshare() (a filter of system calls)";
    case -EPERM: return "it is behind a filter of system calls of its own";
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -EPIPE: return "`ctrace record` is gone";
    default: return NULL;
    }
}
