/* The trace file of trace_start(): its name, an older one kept, and back again when nothing came of it. */
#include "api/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

static int plain_open(const char *path, int flags)
{
    int fd = open(path, flags | O_WRONLY | O_CLOEXEC | O_NOCTTY, 0600);

    return fd < 0 ? -errno : fd;
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
    int fd = plain_open(path, O_CREAT | O_EXCL);

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
    return plain_open(path, O_CREAT | O_EXCL);
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
