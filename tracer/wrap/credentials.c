/* Changes of identity, which our thread must make too, and of namespaces, for which it must not be there. */
#include <grp.h>
#include <sched.h>
#include <unistd.h>

#include "record/session.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* glibc makes set*id() change all of the program's threads, but does not know ours. */
#define IDENTITY(result, name, parameters, arguments) \
    CT_WRAPPER result name parameters \
    { \
        result r = ct_real.name arguments; \
        \
        if (r == 0) \
            ct_session_new_identity(); \
        return r; \
    }

/* unshare() and setns() of some namespaces are refused to processes with more than one thread. */
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
