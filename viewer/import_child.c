/* A process for reading CTF: bounded, and ended with its parent. */
#include "viewer/import_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CT_SHADOWED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CT_SHADOWED
#endif

/* Files are mapped shared, and not counted.  The shadow of a sanitizer is, and larger than any bound. */
static void bound_memory(void)
{
#ifndef CT_SHADOWED
    static const rlim_t most = 2ull << 30;
    struct rlimit limit;

    if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur > most) {
        limit.rlim_cur = most;
        setrlimit(RLIMIT_DATA, &limit);
    }
#endif
}

/* babeltrace2 keeps all streams open: of a session with buffers for each process there may be thousands. */
static void raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void ct_import_be_child(void)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    bound_memory();
    raise_files();
}
