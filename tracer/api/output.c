/* The trace file of trace_start(): its name, an older one kept, and back again when nothing came of it. */
#include "api/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "format/file.h"
#include "format/pattern.h"

static const char *look_up(const char *name)
{
    return getenv(name);
}

int api_output_name(const char *pattern, char *to, size_t size)
{
    char host[256] = "";
    struct ct_pattern_values values = { .pid = getpid(), .time_s = time(NULL), .host = host, .look_up = look_up };

    if (gethostname(host, sizeof host - 1) < 0)
        return -errno;
    *to = '\0';
    return ct_pattern_expand(pattern, &values, to, size);
}

/* By calls of our own, which are no part of the program's. */
static bool is_folder(const char *path)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        syscall(SYS_close, fd);
    return fd >= 0;
}

int api_output_into_folder(char *path, size_t size, size_t *ret_made)
{
    static const char file_name[] = "trace.out";
    size_t used = strlen(path);
    bool slash = used && path[used - 1] == '/';

    *ret_made = slash && syscall(SYS_mkdirat, AT_FDCWD, path, 0700) == 0 ? used : 0;
    if (slash && !*ret_made && errno != EEXIST)
        return -errno;
    if (!is_folder(path))
        return slash ? -ENOTDIR : 0;
    if ((size_t)snprintf(path + used, size - used, "%s%s", slash ? "" : "/", file_name) < size - used)
        return 0;
    path[used] = '\0';
    if (*ret_made)
        rmdir(path);
    return -ENAMETOOLONG;
}

/*
 * A file that has the head of a trace before it has a name: whenever the program is killed, what is there is a trace.
 * By calls of our own, which are no part of the program's.  Returns a negative errno where that cannot be.
 */
static int whole_create(const char *path)
{
    const struct ct_file_head head = CT_FILE_HEAD;
    char folder[PATH_MAX] = ".", own[32];
    const char *slash = strrchr(path, '/');
    struct rlimit limit;
    int fd, r = 0;

    if (slash && snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path) >= (int)sizeof folder)
        return -ENAMETOOLONG;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur < sizeof head)
        return -EFBIG;                  /* to try would raise SIGXFSZ */
    fd = (int)syscall(SYS_openat, AT_FDCWD, folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (syscall(SYS_write, fd, &head, sizeof head) != sizeof head)
        r = -ENOSPC;
    else if (linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
        r = -errno;
    if (r < 0)
        syscall(SYS_close, fd);
    return r < 0 ? r : fd;
}

static int plain_open(const char *path, int flags)
{
    int fd = open(path, flags | O_WRONLY | O_CLOEXEC | O_NOCTTY, 0600);

    return fd < 0 ? -errno : fd;
}

static int new_open(const char *path)
{
    int fd = whole_create(path);

    /* Else an empty one, which gets its head with the first block. */
    return fd < 0 && fd != -EEXIST ? plain_open(path, O_CREAT | O_EXCL) : fd;
}

static bool old_name(const char *path, char *old, size_t size)
{
    return snprintf(old, size, "%s.old", path) < (int)size;
}

/* A file that is there becomes path.old; what is no file (a pipe, a device) is opened as it is. */
int api_output_open(const char *path, bool *ret_moved)
{
    char old[PATH_MAX];
    struct stat st;
    int fd = new_open(path);

    *ret_moved = false;
    if (fd != -EEXIST)
        return fd;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return plain_open(path, 0);
    if (!old_name(path, old, sizeof old))
        return -ENAMETOOLONG;
    fd = plain_open(path, 0);           /* one that we could not write must not be moved away either */
    if (fd < 0)
        return fd;
    close(fd);
    if (rename(path, old) < 0)
        return -errno;
    *ret_moved = true;
    return new_open(path);
}

/* Nothing came of it: as if open_output() had not been called. */
void api_output_undo(const char *path, int fd, bool moved)
{
    char old[PATH_MAX];
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        unlink(path);
    close(fd);
    if (moved && old_name(path, old, sizeof old))
        rename(old, path);
}
