/* By calls of our own, which are no part of what the program does; and no signal comes of what cannot be written. */
#include "api/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "api/output.h"

int api_whole_name(const char *pattern, char *to)
{
    char name[PATH_MAX];
    size_t length = 0;
    int r;

    if (!pattern || !*pattern)
        return -EINVAL;
    r = api_output_name(pattern, name, sizeof name);
    if (r < 0)
        return r;
    if (name[0] != '/') {
        if (!getcwd(to, PATH_MAX))
            return -errno;
        length = strlen(to);
        to[length++] = '/';
    }
    if (length + strlen(name) >= PATH_MAX)
        return -ENAMETOOLONG;
    strcpy(to + length, name);
    return 0;
}

/* A pipe without a reader is an error, not a wait for one. */
static int open_special(struct api_whole *w)
{
    w->fd = (int)syscall(SYS_openat, AT_FDCWD, w->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    if (w->fd < 0)
        return -errno;
    syscall(SYS_fcntl, w->fd, F_SETFL, O_WRONLY);
    return 0;
}

static int open_beside(struct api_whole *w)
{
    static _Atomic unsigned count;

    for (int tries = 0; tries < 100; tries++) {
        if (snprintf(w->temporary, sizeof w->temporary, "%s.%d-%u", w->path, (int)getpid(), count++) >= PATH_MAX)
            return -ENAMETOOLONG;
        w->fd = (int)syscall(SYS_openat, AT_FDCWD, w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (w->fd >= 0 || errno != EEXIST)
            break;
    }
    return w->fd < 0 ? -errno : 0;
}

int api_whole_open(struct api_whole *w, const char *path)
{
    struct stat st;

    w->fd = -1;
    w->temporary[0] = '\0';
    if (stat(path, &st) < 0) {
        if (errno != ENOENT)
            return -errno;
        strcpy(w->path, path);
        return open_beside(w);
    }
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    strcpy(w->path, path);
    if (!S_ISREG(st.st_mode))
        return open_special(w);
    /* Who may not write it may not replace it either; of a link, what it leads to is replaced. */
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 || !realpath(path, w->path))
        return -errno;
    return open_beside(w);
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        long n = syscall(SYS_write, fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* A pipe whose reader has gone, and a file that would be larger than the program's limit, are errors and no more. */
static int write_quietly(int fd, const char *bytes, size_t size)
{
    static const struct timespec at_once = { 0, 0 };
    sigset_t ours, pending, before;
    int r;

    sigemptyset(&ours);
    sigaddset(&ours, SIGPIPE);
    sigaddset(&ours, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    r = write_all(fd, bytes, size);
    if (sigismember(&pending, SIGPIPE))
        sigdelset(&ours, SIGPIPE);
    if (sigismember(&pending, SIGXFSZ))
        sigdelset(&ours, SIGXFSZ);
    if (r == -EPIPE || r == -EFBIG)
        syscall(SYS_rt_sigtimedwait, &ours, NULL, &at_once, 8);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static int copy(int to, int from)
{
    struct stat st;
    void *bytes;
    int r;

    if (fstat(from, &st) < 0)
        return -errno;
    if (st.st_size == 0)
        return -ENODATA;
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, from, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    r = write_quietly(to, bytes, (size_t)st.st_size);
    munmap(bytes, (size_t)st.st_size);
    return r;
}

int api_whole_commit(struct api_whole *w, int from)
{
    int r = copy(w->fd, from);

    if (r == 0 && w->temporary[0] && rename(w->temporary, w->path) < 0)
        r = -errno;
    if (r == 0)
        w->temporary[0] = '\0';
    api_whole_abort(w);
    return r;
}

void api_whole_abort(struct api_whole *w)
{
    if (w->temporary[0])
        unlink(w->temporary);
    if (w->fd >= 0)
        syscall(SYS_close, w->fd);
    w->fd = -1;
}
