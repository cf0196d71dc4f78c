/*
 * view WHAT: prints what a program sees of itself, which must be the same under a recorder.
 *
 *   files        its descriptors, and those of a forked and of a spawned child
 *   closed       the same after it has closed all but the first three, as daemons do, and then writes on
 *   state        errno, signals, dispositions, personality, limits, nice value, name, memory that is locked
 *   threads      whether libc takes it for single-threaded, and how many threads it may see through libc
 *   identity     user and group of every thread after setuid(), and that new namespaces can be entered; then
 *                goes on for a second
 *   environment  its variables but LD_PRELOAD and those of ctrace, and those of a child
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void print_files(const char *whose)
{
    for (int fd = 0; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFD);

        if (flags >= 0)
            printf("%s: %d%s\n", whose, fd, flags & FD_CLOEXEC ? " closed by exec" : "");
    }
    fflush(stdout);
}

static void print_children(char *self)
{
    char *argv[] = { self, "files-of-child", NULL };
    pid_t pid = fork();

    if (pid == 0) {
        print_files("forked");
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
    else if (posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
}

static int view_files(char *self)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0, lowest;

    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    printf("/proc/self/fd: %d\n", count);
    print_files("own");
    lowest = open("/dev/null", O_RDONLY);
    printf("the next is %d\n", lowest);
    close(lowest);
    print_children(self);
    return 0;
}

static int view_closed(char *self)
{
    char byte;
    int pair[2];

    closefrom(3);
    print_files("closed");
    if (pipe(pair) < 0 || write(pair[1], "x", 1) != 1 || read(pair[0], &byte, 1) != 1)
        return 1;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    print_files("closed one by one");
    print_children(self);
    if (close(0) < 0 || open("/dev/null", O_RDONLY) != 0)
        return 2;
    return 0;
}

static int view_state(void)
{
    sigset_t set;
    struct sigaction action;
    struct rlimit limit;
    char name[17] = "";

    printf("errno %d at start\n", errno);
    errno = 77;
    if (write(1, "", 0) == 0 && open("/dev/null", O_RDONLY) > 2)
        printf("errno %d after success\n", errno);
    poll(NULL, 0, 1);
    printf("errno %d after a sleep\n", errno);
    printf("read from nowhere: %zd", read(-1, name, 1));
    printf(" errno %d\n", errno);
    sigprocmask(SIG_BLOCK, NULL, &set);
    for (int i = 1; i < 65; i++)
        if (sigaction(i, NULL, &action) == 0 && (sigismember(&set, i) || action.sa_handler != SIG_DFL))
            printf("signal %d: blocked %d, handled %d, ignored %d\n", i, sigismember(&set, i),
                   action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN, action.sa_handler == SIG_IGN);
    sigpending(&set);
    for (int i = 1; i < 65; i++)
        if (sigismember(&set, i))
            printf("signal %d is pending\n", i);
    for (int i = 0; i < RLIM_NLIMITS; i++)
        if (getrlimit(i, &limit) == 0)
            printf("limit %d: %lu %lu\n", i, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    prctl(PR_GET_NAME, name);
    printf("name %s, nice %d, policy %d, dumpable %d, no new privileges %d, subreaper %d\n", name,
           getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), prctl(PR_GET_DUMPABLE),
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_PDEATHSIG, &limit));
    printf("session %d, group %d, parent %d\n", getsid(0) == getpid(), getpgrp() == getpid(), getppid() > 0);
    return 0;
}

static void *sleep_in_thread(void *barrier)
{
    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier);
    return NULL;
}

static int view_threads(void)
{
    pthread_barrier_t barrier;
    pthread_t thread;

    printf("single-threaded %d\n", __libc_single_threaded);
    if (write(1, "", 0) < 0)
        return 1;
    printf("single-threaded %d after a call\n", __libc_single_threaded);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, sleep_in_thread, &barrier);
    printf("single-threaded %d with a thread\n", __libc_single_threaded);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    return 0;
}

/* Of every thread that /proc knows: "Uid:" and "Gid:" lines; each different one is printed once. */
static void print_identities(void)
{
    char lines[64][100], path[64], line[256];
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        FILE *f;

        snprintf(path, sizeof path, "/proc/self/task/%.20s/status", entry->d_name);
        f = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (f && fgets(line, sizeof line, f)) {
            int i = 0;

            if (strncmp(line, "Uid:", 4) != 0 && strncmp(line, "Gid:", 4) != 0 && strncmp(line, "Groups:", 7) != 0 &&
                strncmp(line, "CapEff:", 7) != 0)
                continue;
            while (i < count && strncmp(lines[i], line, 99) != 0)
                i++;
            if (i == count && count < 64) {
                snprintf(lines[count++], 100, "%.99s", line);
                fputs(line, stdout);
            }
        }
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    fflush(stdout);
}

static int view_identity(void)
{
    pthread_barrier_t barrier;
    pthread_t thread;
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int r = unshare(CLONE_NEWUSER);

        printf("new user namespace: %d %d\n", r, r ? errno : 0);
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("new descriptor table: %d\n", unshare(CLONE_FS | CLONE_FILES));
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, sleep_in_thread, &barrier);
    pthread_barrier_wait(&barrier);
    if (getuid() == 0) {
        printf("setgroups %d\n", setgroups(0, NULL));
        printf("setresgid %d\n", setresgid(54321, 54321, 54321));
        printf("seteuid %d\n", seteuid(54322));
        print_identities();
        printf("seteuid %d\n", seteuid(0));
        printf("setresuid %d\n", setresuid(54321, 54321, 54321));
        print_identities();
        status = setuid(0);
        printf("back: %d %d\n", status, errno);
    }
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    for (int i = 0; i < 12; i++) {
        poll(NULL, 0, 100);
        if (write(1, "", 0) < 0)
            return 1;
    }
    return 0;
}

static int view_environment(char *self)
{
    char *argv[] = { "env", NULL };
    pid_t pid;

    for (char **e = environ; *e; e++)
        if (strncmp(*e, "LD_PRELOAD=", 11) != 0 && strncmp(*e, "CTRACE_", 7) != 0)
            puts(*e);
    fflush(stdout);
    (void)self;
    if (posix_spawnp(&pid, "env", NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "files-of-child") == 0) {
        print_files("spawned");
        return 0;
    }
    if (strcmp(what, "files") == 0)
        return view_files(argv[0]);
    if (strcmp(what, "closed") == 0)
        return view_closed(argv[0]);
    if (strcmp(what, "state") == 0)
        return view_state();
    if (strcmp(what, "threads") == 0)
        return view_threads();
    if (strcmp(what, "identity") == 0)
        return view_identity();
    return strcmp(what, "environment") == 0 ? view_environment(argv[0]) : 1;
}
