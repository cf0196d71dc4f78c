/* Watching for the end of a process. */
#include "drain/life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t ct_life_start(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long start = 0;
    const char *at;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at && (sscanf(at, " %llu", &start) != 1 || strstr(text, ") Z ") || strstr(text, ") X ")))
        start = 0;
    return start;
}

/* A thread that ended first shows as a rest too, while others of its process go on. */
static bool has_threads(pid_t pid)
{
    char path[64], text[4096];
    const char *at;
    ssize_t n;
    int fd, threads = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strstr(text, "\nThreads:");
    return at && sscanf(at + 9, "%d", &threads) == 1 && threads > 1;
}

void ct_life_init(struct ct_life *life, pid_t pid)
{
    *life = (struct ct_life){ .pid = pid, .fd = (int)syscall(SYS_pidfd_open, pid, 0) };
    if (life->fd >= 0)
        return;
    life->over = errno == ESRCH;
    life->start = ct_life_start(pid);
    ct_life_over(life);
}

void ct_life_fini(struct ct_life *life)
{
    if (life->fd >= 0)
        close(life->fd);
    life->fd = -1;
}

/* Where there is no /proc either, one that nobody has waited for seems to live. */
static bool looks_over(const struct ct_life *life)
{
    uint64_t start;

    if (kill(life->pid, 0) < 0 && errno == ESRCH)
        return true;
    start = ct_life_start(life->pid);
    return life->start && start != life->start && (start || !has_threads(life->pid));
}

bool ct_life_over(struct ct_life *life)
{
    struct pollfd end = { .fd = life->fd, .events = POLLIN };

    if (!life->over && (life->fd < 0 ? looks_over(life) : poll(&end, 1, 0) == 1)) {
        life->over = true;
        ct_life_fini(life);
    }
    return life->over;
}
