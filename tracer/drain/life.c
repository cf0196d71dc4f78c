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

/* A file of /proc/PID, as far as there is room: a text, empty when it cannot be read. */
static void read_proc(pid_t pid, const char *name, char *text, size_t room)
{
    char path[64];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, room - 1);
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
}

/* Field 3 of /proc/PID/stat, the state, and what follows; NULL when there is no such process.  The name before it may hold anything. */
static const char *read_state(pid_t pid, char *text, size_t room)
{
    const char *end;

    read_proc(pid, "stat", text, room);
    end = strrchr(text, ')');
    return end && end[1] == ' ' ? end + 2 : NULL;
}

uint64_t ct_life_start(pid_t pid)
{
    unsigned long long start = 0;
    char text[1024];
    const char *at = read_state(pid, text, sizeof text);

    if (!at || *at == 'Z' || *at == 'X')
        return 0;
    for (int field = 3; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %llu", &start) == 1 ? start : 0;
}

bool ct_life_stopped(pid_t pid)
{
    char text[1024];
    const char *state = read_state(pid, text, sizeof text);

    return state && (*state == 'T' || *state == 't');
}

/* A thread that ended first shows as a rest too, while others of its process go on. */
static bool has_threads(pid_t pid)
{
    char text[4096];
    const char *at;
    int threads = 0;

    read_proc(pid, "status", text, sizeof text);
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
