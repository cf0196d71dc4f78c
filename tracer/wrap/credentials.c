/* Changes of identity and namespaces: while they happen there is one thread less, ours. */
#include <grp.h>
#include <sched.h>
#include <unistd.h>

#include "wrap/real.h"
#include "wrap/wrap.h"

/*
 * glibc makes set*id() change all of the program's threads, but does not know ours; unshare() and setns() of some
 * namespaces are refused to processes with more than one.
 */
#define ALONE(result, name, parameters, arguments) \
    CT_WRAPPER result name parameters \
    { \
        result r; \
        \
        ct_session_alone_begin(); \
        r = ct_real.name arguments; \
        ct_session_alone_end(); \
        return r; \
    }
#include "wrap/real.def"
