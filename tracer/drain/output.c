/* Opening trace files so that nothing is overwritten and nobody else can read them. */
#include "drain/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/limits.h"

enum { SAME_PID_MAX = 10000 };

static int create(const char *path, int *ret)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    *ret = fd;
    return 0;
}

bool ct_trace_file_ring_name(const char *path, char *name, size_t size)
{
    return (size_t)snprintf(name, size, "%s.ring", path) < size;
}

int ct_trace_file_open(const char *path, int *ret)
{
    char old[CT_PATH_MAX], ring[CT_PATH_MAX];
    struct stat st;
    int r;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
            return -errno;
        *ret = fd;
        return 0;
    }
    r = create(path, ret);
    if (r != -EEXIST)
        return r;
    if ((size_t)snprintf(old, sizeof old, "%s.old", path) >= sizeof old ||
        !ct_trace_file_ring_name(path, ring, sizeof ring))
        return -ENAMETOOLONG;
    if (rename(path, old) < 0)
        return -errno;
    r = create(path, ret);
    if (r < 0 && rename(old, path) < 0)
        return r;                   /* the older trace is at PATH.old then */
    if (r == 0)
        unlink(ring);               /* of the older trace, whose newer half stands for it */
    return r;
}

int ct_trace_file_open_child(const char *path, pid_t pid, char *name, size_t size, int *ret)
{
    int r = -EEXIST;

    for (unsigned n = 0; r == -EEXIST && n < SAME_PID_MAX; n++) {
        size_t length = n == 0 ? (size_t)snprintf(name, size, "%s.%ld", path, (long)pid)
                               : (size_t)snprintf(name, size, "%s.%ld.%u", path, (long)pid, n);

        r = length >= size ? -ENAMETOOLONG : create(name, ret);
    }
    return r;
}
