/* Whether another process is still there: by a pidfd, or where there is none by its number and when it began. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Kernels before 5.3 have no pidfd, and filters of system calls refuse it; then one has to look, and look again. */
struct ct_life {
    pid_t pid;
    int fd;                         /* readable when it is over; -1: there is none */
    uint64_t start;                 /* as ct_life_start() tells, of when it was begun to be watched */
    bool over;
};

/* Begins to watch a process, or says at once that it is over. */
void ct_life_init(struct ct_life *life, pid_t pid);
void ct_life_fini(struct ct_life *life);
/* Looks whether it has ended, reaped or not.  Once over it stays so. */
bool ct_life_over(struct ct_life *life);
/* Nobody tells of its end: it has to be looked at. */
static inline bool ct_life_unwatched(const struct ct_life *life)
{
    return life->fd < 0 && !life->over;
}

/* Field 22 of /proc/PID/stat: when it began, in the kernel's ticks.  0 when there is no such process, or only its rest. */
uint64_t ct_life_start(pid_t pid);
/* Whether a signal or a debugger holds it; false also when there is no such process. */
bool ct_life_stopped(pid_t pid);
