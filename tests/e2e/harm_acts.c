/*
 * act WHAT: does to itself, or to ctrace, what a recorder could stumble over; then writes on and ends with status 6.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int null;

static void work(long rounds)
{
    for (long i = 0; i < rounds; i++)
        if (write(null, "", 0) < 0)
            abort();
}

static void limit(int what, rlim_t value)
{
    struct rlimit limit = { value, value };

    setrlimit(what, &limit);
}

static void have_child(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        work(1000);
        _exit(3);
    }
    waitpid(pid, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    null = open("/dev/null", O_WRONLY);
    work(1000);
    if (strcmp(what, "file-size") == 0)
        limit(RLIMIT_FSIZE, 4096);
    else if (strcmp(what, "addresses") == 0)
        limit(RLIMIT_AS, 1 << 20);
    else if (strcmp(what, "descriptors") == 0)
        limit(RLIMIT_NOFILE, 0);
    else if (strcmp(what, "root") == 0)
        printf("%d %d %d\n", mkdir("root", 0700), chroot("root"), chdir("/"));
    else if (strcmp(what, "namespaces") == 0)
        printf("%d\n", unshare(CLONE_NEWUSER | CLONE_NEWNS));
    else if (strcmp(what, "processes") == 0)
        printf("%d\n", unshare(CLONE_NEWPID));
    else if (strcmp(what, "kills") == 0)
        kill(getppid(), SIGKILL);
    else if (strcmp(what, "stops") == 0)
        kill(getppid(), SIGSTOP);
    fflush(stdout);
    work(500000);
    if (strcmp(what, "stops") == 0)
        kill(getppid(), SIGCONT);
    poll(NULL, 0, 1100);                /* so long that a generation turns */
    work(1000);
    if (strcmp(what, "processes") == 0)
        have_child();
    puts("on");
    fflush(stdout);
    if (strcmp(what, "kills") == 0) {
        close(open("survived", O_CREAT | O_WRONLY, 0600));
        return 0;
    }
    return 6;
}
