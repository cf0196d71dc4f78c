/* Between the one who started ctrace and the program: signals, exit status and job control pass as if we were not there. */
#include "viewer/record_child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "drain/life.h"
#include "format/control.h"

enum { EX_NOEXEC = 126 };

/* Passed on to the program. */
static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
/* Only kept from us: a write that fails says so itself, and a line to the terminal must not stop us. */
static const int ignored[] = { SIGXFSZ, SIGPIPE, SIGTTOU };

static void fill(sigset_t *set, const int *signals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sigaddset(set, signals[i]);
}

/* Blocked, not caught or ignored: what the program inherits stays as it was, `nohup` included. */
int ct_record_signals(struct ct_record_child *c)
{
    const struct sigaction plain = { .sa_handler = SIG_DFL };
    sigset_t wanted, blocked;

    *c = (struct ct_record_child){ .pid = -1, .release = -1 };
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    fill(&wanted, forwarded, sizeof forwarded / sizeof *forwarded);
    blocked = wanted;
    fill(&blocked, ignored, sizeof ignored / sizeof *ignored);
    if (sigprocmask(SIG_BLOCK, &blocked, &c->before) < 0 || sigaction(SIGCHLD, &plain, &c->child_before) < 0)
        return -errno;
    c->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    return c->signals < 0 ? -errno : 0;
}

/* --- in the child, before exec --- */

static void preload(const char *recorder)
{
    const char *before = getenv("LD_PRELOAD");
    char *both;

    if (!before || !*before)
        setenv("LD_PRELOAD", recorder, 1);
    else if (asprintf(&both, "%s:%s", recorder, before) > 0)
        setenv("LD_PRELOAD", both, 1);
}

static void become(const struct ct_record_order *o, const struct ct_record_child *c)
{
    char session[512];

    if (o->alone)
        snprintf(session, sizeof session, "%s;only=%ld", o->session, (long)getpid());
    setenv(CT_SESSION_ENV, o->alone ? session : o->session, 1);
    preload(o->recorder);
    if (c->child_before.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_IGN);
    sigprocmask(SIG_SETMASK, &c->before, NULL);
    execv(o->path, o->argv);
    if (errno == ENOEXEC) {             /* a script without #!, as execvp() has it */
        size_t count = 0;
        char **argv;

        while (o->argv[count])
            count++;
        argv = calloc(count + 2, sizeof *argv);
        if (argv) {
            argv[0] = (char[]){ "/bin/sh" };
            argv[1] = strdup(o->path);
            memcpy(argv + 2, o->argv + 1, count * sizeof *argv);
            execv(argv[0], argv);
        }
    }
}

static __attribute__((noreturn)) void child(int socket, const struct ct_record_order *order,
                                            const struct ct_record_child *c)
{
    char go;
    int error;

    if (read(socket, &go, sizeof go) == sizeof go) {
        become(order, c);
        error = errno;
        if (write(socket, &error, sizeof error) < 0)
            _exit(EX_NOEXEC);
    }
    _exit(EX_NOEXEC);
}

int ct_record_child_fork(struct ct_record_child *c, const struct ct_record_order *order)
{
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    c->pid = fork();
    if (c->pid == 0) {
        close(pair[0]);
        child(pair[1], order, c);
    }
    r = c->pid < 0 ? -errno : 0;
    close(pair[1]);
    if (r < 0)
        close(pair[0]);
    else
        c->release = pair[0];
    return r;
}

int ct_record_child_go(struct ct_record_child *c)
{
    int error = 0;
    char go = 1;
    ssize_t n = -1;

    if (send(c->release, &go, sizeof go, MSG_NOSIGNAL) == sizeof go)
        do
            n = read(c->release, &error, sizeof error);     /* ends without a word when exec closes the other side */
        while (n < 0 && errno == EINTR);
    close(c->release);
    c->release = -1;
    return n == sizeof error ? -error : 0;
}

void ct_record_child_cancel(struct ct_record_child *c)
{
    if (c->release >= 0)
        close(c->release);              /* it reads the end and goes */
    c->release = -1;
    if (c->pid > 0 && !c->ended)
        waitpid(c->pid, &c->status, 0);
    c->ended = true;
}

/* --- while it runs --- */

/* The terminal has told the whole process group already, the program too; what one process sent is for the program. */
static void forward(struct ct_record_child *c, const struct signalfd_siginfo *info)
{
    /* Only what it left running is waited for: who is tired of that gets the trace as it is. */
    if (c->ended) {
        c->told_to_end |= info->ssi_signo != SIGUSR1 && info->ssi_signo != SIGUSR2;
        return;
    }
    if ((int32_t)info->ssi_code == SI_KERNEL || (pid_t)info->ssi_pid == c->pid)
        return;
    kill(c->pid, (int)info->ssi_signo);
}

/* Somebody may let the program alone go on.  We are stopped then and cannot see it: a child of ours does. */
static pid_t watch_for_continue(pid_t program)
{
    static const struct timespec moment = { 0, 50000000 };
    pid_t self = getpid(), watcher = fork();

    if (watcher != 0)
        return watcher;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (ct_life_stopped(program) && getppid() == self)
        nanosleep(&moment, NULL);
    kill(self, SIGCONT);
    _exit(0);
}

/* A program that stops by itself stops us, so that the shell sees it; when one of both goes on, both do. */
static void stop_with(const struct ct_record_child *c)
{
    pid_t watcher = watch_for_continue(c->pid);

    kill(getpid(), SIGSTOP);
    kill(c->pid, SIGCONT);
    if (watcher > 0) {
        kill(watcher, SIGKILL);
        waitpid(watcher, NULL, 0);
    }
}

/* By the terminal: the shell waits for us to stop as well. */
static bool is_job_control(int number)
{
    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static void reap(struct ct_record_child *c)
{
    int status;
    pid_t pid;

    /* All of them: as process 1, or a subreaper's heir, children come that we never made. */
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (pid != c->pid)
            continue;
        if (WIFSTOPPED(status)) {
            if (!c->serving || is_job_control(WSTOPSIG(status)))
                stop_with(c);
        } else {
            c->ended = true;
            c->status = status;
        }
    }
}

void ct_record_child_hear(struct ct_record_child *c)
{
    struct signalfd_siginfo info;

    while (read(c->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            forward(c, &info);
    reap(c);
}

void ct_record_child_end_like(const struct ct_record_child *c)
{
    const struct rlimit none = { 0, 0 };
    sigset_t all;
    int number;

    if (WIFEXITED(c->status))
        exit(WEXITSTATUS(c->status));
    number = WTERMSIG(c->status);
    setrlimit(RLIMIT_CORE, &none);      /* the program has left its core file if it may; ours is of no use */
    prctl(PR_SET_DUMPABLE, 0);
    fflush(NULL);
    signal(number, SIG_DFL);
    sigfillset(&all);
    sigdelset(&all, number);
    sigprocmask(SIG_SETMASK, &all, NULL);
    kill(getpid(), number);
    exit(128 + number);
}
