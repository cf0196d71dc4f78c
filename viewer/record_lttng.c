/* Whether LTTng is there: the library is loaded by a child, since it starts threads and announces whoever loads it. */
#include "viewer/record_check.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/tap.h"

static __attribute__((noreturn)) void try(const char *recorder, int to)
{
    const char *slash = strrchr(recorder, '/'), *why;
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.*s/" CT_TAP_LIBRARY, slash ? (int)(slash - recorder) : 0, recorder);
    if (access(path, F_OK) < 0)
        strcpy(path, CT_TAP_LIBRARY);
    setenv("LTTNG_UST_REGISTER_TIMEOUT", "0", 1);
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        why = dlerror();
        if (!why || write(to, why, strlen(why)) < 0)
            _exit(1);
    }
    _exit(0);
}

bool ct_record_lttng(const char *recorder)
{
    char why[512], real[PATH_MAX];
    ssize_t n = -1;
    int ends[2];
    pid_t child;

    if (pipe(ends) < 0)
        return true;                    /* each program finds out for itself */
    child = fork();
    if (child == 0)
        try(realpath(recorder, real) ? real : recorder, ends[1]);
    close(ends[1]);
    if (child > 0)
        n = read(ends[0], why, sizeof why - 1);
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    if (n <= 0)
        return true;
    why[n] = '\0';
    fprintf(stderr, "ctrace: LTTng gets no events: %s\n", why);
    return false;
}
