/* Files of /proc/PID, or of /proc/PID/task/TID where these are those of a thread that has ended. */
#include "serve/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* By its file stat, in which the name may hold brackets itself. */
static bool has_ended(int folder, const char *stat)
{
    int fd = openat(folder, stat, O_RDONLY | O_CLOEXEC);
    char text[512];
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    const char *end;

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    end = strrchr(text, ')');
    return !end || end[1] != ' ' || strchr("ZX", end[2]);
}

/* A thread's file, of one that has not ended. */
static int open_of_living(int process, const char *name)
{
    int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -ESRCH;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    char path[64];

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return -ESRCH;
    }
    while (found < 0 && (e = readdir(folder))) {
        snprintf(path, sizeof path, "%.20s/stat", e->d_name);
        if (*e->d_name == '.' || has_ended(fd, path))
            continue;
        snprintf(path, sizeof path, "%.20s/%.30s", e->d_name, name);
        found = openat(fd, path, O_RDONLY | O_CLOEXEC);
    }
    closedir(folder);
    return found < 0 ? -ESRCH : found;
}

int ct_proc_open_first(pid_t pid, const char *name)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%.40s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int ct_proc_open(pid_t pid, const char *name)
{
    int process = ct_proc_open_first(pid, ""), fd;

    if (process < 0)
        return process;
    fd = has_ended(process, "stat") ? open_of_living(process, name) : -ENOENT;
    close(process);
    return fd < 0 ? ct_proc_open_first(pid, name) : fd;
}
