/* Opening trace files so that nothing is overwritten and nobody else can read them. */
#include "drain/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file.h"
#include "format/limits.h"

enum { SAME_PID_MAX = 10000 };

/* Where not even that has room the file stays empty, and whoever writes to it next says why. */
static void put_head(int fd)
{
    const struct ct_file_head head = CT_FILE_HEAD;

    if (write(fd, &head, sizeof head) != sizeof head && ftruncate(fd, 0) == 0)
        (void)lseek(fd, 0, SEEK_SET);
}

/* A file that has its head before it has a name: whenever we are killed, what is there is a trace. */
static int create_whole(const char *path, int *ret)
{
    char folder[CT_PATH_MAX] = ".", own[32];
    const char *slash = strrchr(path, '/');
    int fd, r = 0;

    if (slash && (size_t)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path) >= sizeof folder)
        return -ENAMETOOLONG;
    fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    put_head(fd);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0) {
        r = -errno;
        close(fd);
    } else {
        *ret = fd;
    }
    return r;
}

int ct_trace_file_create(const char *path, int *ret)
{
    int fd, r = create_whole(path, ret);

    if (r == 0 || r == -EEXIST)
        return r;
    /* No such files in this file system, or no /proc to name them by; or an error, which this meets as well. */
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    put_head(fd);
    *ret = fd;
    return 0;
}

uint64_t ct_trace_file_head(int fd)
{
    const struct ct_file_head wanted = CT_FILE_HEAD;
    struct ct_file_head head;
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == sizeof head &&
           lseek(fd, 0, SEEK_CUR) == sizeof head && pread(fd, &head, sizeof head, 0) == sizeof head &&
           memcmp(&head, &wanted, sizeof head) == 0 ? sizeof head : 0;
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
    r = ct_trace_file_create(path, ret);
    if (r != -EEXIST)
        return r;
    if ((size_t)snprintf(old, sizeof old, "%s.old", path) >= sizeof old ||
        !ct_trace_file_ring_name(path, ring, sizeof ring))
        return -ENAMETOOLONG;
    if (rename(path, old) < 0)
        return -errno;
    r = ct_trace_file_create(path, ret);
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

        r = length >= size ? -ENAMETOOLONG : ct_trace_file_create(name, ret);
    }
    return r;
}
