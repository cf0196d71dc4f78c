/* Processes: forks of every kind, exec in every form, every way to end. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "cases.h"

extern char **environ;

static void reap(pid_t pid, const char *what)
{
    int status;

    waitpid(pid, &status, 0);
    if (WIFEXITED(status))
        printf("%s: exit %d\n", what, WEXITSTATUS(status));
    else
        printf("%s: signal %d\n", what, WTERMSIG(status));
}

static void say(const char *what)
{
    dprintf(1, "%s\n", what);
}

static void *say_in_thread(void *unused)
{
    say("thread");
    return NULL;
}

static void child_works(int status)
{
    pthread_t t;

    say("child");
    free(malloc(300000));
    pause_ms(1);
    pthread_create(&t, NULL, say_in_thread, NULL);
    pthread_join(t, NULL);
    fflush(stdout);
    _exit(status);
}

static void fork_plain(void)
{
    pid_t pid = fork();

    if (pid == 0)
        child_works(3);
    reap(pid, "fork");
}

static void *fork_thread(void *unused)
{
    fork_plain();
    return NULL;
}

static void fork_in_thread(void)
{
    pthread_t t;

    pthread_create(&t, NULL, fork_thread, NULL);
    pthread_join(t, NULL);
}

static void fork_behind(void)
{
    pid_t pid = _Fork();

    if (pid == 0)
        child_works(4);
    reap(pid, "_Fork");
    pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        say("clone child");
        syscall(SYS_exit_group, 5);
    }
    reap(pid, "clone");
}

static volatile pid_t from_handler;

static void fork_now(int no)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)!write(1, "handler's child\n", 16);
        _exit(6);
    }
    from_handler = pid;
}

/* The signal comes while events are being written; the child is the handler's. */
static void fork_in_handler(void)
{
    struct itimerval soon = { .it_value = { 0, 3000 } };

    signal(SIGALRM, fork_now);
    setitimer(ITIMER_REAL, &soon, NULL);
    while (!from_handler)
        (void)!write(1, "", 0);
    reap(from_handler, "fork in a handler");
}

static int by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* A new process waits once for the thread that we add, and where others crowd the processors that is long enough. */
static void fork_and_begin(void)
{
    int waits[21];

    for (int i = 0; i < 21; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            struct rusage before, now;

            getrusage(RUSAGE_THREAD, &before);
            (void)!write(-1, "", 0);
            getrusage(RUSAGE_THREAD, &now);
            _exit((int)(now.ru_nvcsw - before.ru_nvcsw));
        }
        waitpid(pid, &waits[i], 0);
        waits[i] = WEXITSTATUS(waits[i]);
    }
    qsort(waits, 21, sizeof *waits, by_size);
    printf("%s\n", waits[10] <= 1 ? "once at most" : "several times");
}

static void fork_chain(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        pid_t inner = fork();

        if (inner == 0)
            child_works(1);
        reap(inner, "grandchild");
        fflush(stdout);
        exit(2);
    }
    reap(pid, "child");
}

static int forks_seen;

static void at_fork(void)
{
    free(malloc(10));
    (void)!write(1, "", 0);
    forks_seen++;
}

static void fork_handlers(void)
{
    pthread_atfork(at_fork, at_fork, at_fork);
    fork_plain();
    printf("handlers ran %d times\n", forks_seen);
}

static char *hello[] = { "echo", "hello", NULL };

static void vfork_exec(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        dup2(1, 2);
        close(0);
        execv("/bin/echo", hello);
        _exit(127);
    }
    reap(pid, "vfork and exec");
    pid = vfork();
    if (pid == 0) {
        execve("/nowhere", hello, environ);
        _exit(errno == ENOENT ? 7 : 8);
    }
    reap(pid, "vfork and no exec");
    say("the parent writes on");
}

static void spawn(void)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    if (posix_spawn(&pid, "/bin/echo", &actions, NULL, hello, environ) == 0)
        reap(pid, "posix_spawn");
    if (posix_spawnp(&pid, "echo", NULL, NULL, hello, environ) == 0)
        reap(pid, "posix_spawnp");
    SHOW(posix_spawn(&pid, "/nowhere", NULL, NULL, hello, environ));
    SHOW(posix_spawnp(NULL, "true", NULL, NULL, hello, environ));
    wait(NULL);
    printf("system: %d\n", WEXITSTATUS(system("exit 9")));
}

static void pipes(void)
{
    FILE *f = popen("cat; exit 4", "w");

    fputs("through a pipe\n", f);
    printf("pclose: %d\n", WEXITSTATUS(pclose(f)));
}

#define IN_CHILD(name, call) \
    do { \
        pid_t pid_ = fork(); \
        if (pid_ == 0) { \
            say(name); \
            call; \
            _exit(errno == ENOENT ? 7 : errno == EFAULT ? 14 : 8); \
        } \
        reap(pid_, name); \
    } while (0)

static void exec_forms(void)
{
    char *env[] = { "GREETING=x", NULL };
    char *show[] = { "sh", "-c", "echo $0 $GREETING; exit 5", NULL };

    IN_CHILD("execve", execve("/bin/sh", show, env));
    IN_CHILD("execv", execv("/bin/sh", show));
    IN_CHILD("execvp", execvp("sh", show));
    IN_CHILD("execvpe", execvpe("sh", show, env));
    IN_CHILD("execl", execl("/bin/echo", "echo", "1", "2", "3", (char *)NULL));
    IN_CHILD("execlp", execlp("echo", "echo", "1", "2", (char *)NULL));
    IN_CHILD("execle", execle("/bin/sh", "sh", "-c", "echo $GREETING", (char *)NULL, env));
    IN_CHILD("fexecve", fexecve(open("/bin/echo", O_RDONLY), hello, env));
    IN_CHILD("execveat", execveat(AT_FDCWD, "/bin/echo", hello, env, 0));
    IN_CHILD("execve nowhere", execve("/nowhere", show, env));
    IN_CHILD("execvp nowhere", execvp("no-such-program", show));
    IN_CHILD("execl nowhere", execl("/nowhere", "x", (char *)NULL));
}

/* Tried, failed, and the program goes on with all its threads. */
static void exec_fails(void)
{
    SHOW_ERRNO(execve("/nowhere", hello, environ));
    SHOW_ERRNO(execv("/etc/passwd", hello));
    fork_plain();
    seteuid(geteuid());
    fork_in_thread();
}

static void *exec_thread(void *unused)
{
    execv("/bin/echo", hello);
    return NULL;
}

static void exec_in_thread(void)
{
    pthread_t t;

    fflush(stdout);
    pthread_create(&t, NULL, exec_thread, NULL);
    pthread_join(t, NULL);
    puts("not reached");
}

static void at_end(void)
{
    free(malloc(1000));
    puts("at exit");
}

static void at_quick_end(void)
{
    say("at quick exit");
}

static void ends(void)
{
    IN_CHILD("exit", { atexit(at_end); exit(3); });
    IN_CHILD("_exit", { atexit(at_end); _exit(4); });
    IN_CHILD("_Exit", { atexit(at_end); _Exit(5); });
    IN_CHILD("quick_exit", { at_quick_exit(at_quick_end); quick_exit(6); });
    IN_CHILD("abort", abort());
    IN_CHILD("raise", raise(SIGTERM));
    IN_CHILD("exit_group", syscall(SYS_exit_group, 9));
    IN_CHILD("pthread_exit", { atexit(at_end); pthread_exit(NULL); });
    atexit(at_end);
}

static void *exit_thread(void *unused)
{
    exit(11);
}

static void exit_in_thread(void)
{
    pthread_t t;

    atexit(at_end);
    pthread_create(&t, NULL, exit_thread, NULL);
    pthread_join(t, NULL);
}

static void daemonise(void)
{
    int ends_of[2];
    char c;

    if (pipe(ends_of))
        return;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends_of[0]);
        if (daemon(1, 1) < 0)
            _exit(1);
        pause_ms(20);
        dprintf(1, "the daemon writes\n");
        _exit(0);
    }
    close(ends_of[1]);
    reap(pid, "daemon's parent");
    printf("waited: %zd\n", read(ends_of[0], &c, 1));
}

static void identity(void)
{
    pthread_t t;

    if (getuid() != 0) {
        puts("not root");
        return;
    }
    SHOW_ERRNO(seteuid(65534));
    printf("euid %d\n", geteuid());
    pthread_create(&t, NULL, say_in_thread, NULL);
    pthread_join(t, NULL);
    SHOW_ERRNO(setegid(65534));
    SHOW_ERRNO(seteuid(0));
    SHOW_ERRNO(setresuid(65534, 65534, 65534));
    SHOW_ERRNO(setuid(0));
    printf("uid %d\n", getuid());
    fork_plain();
}

/* Refused to a process that has a second thread. */
static void namespaces(void)
{
    IN_CHILD("unshare", {
        int r = unshare(CLONE_NEWUSER);
        say(r == 0 ? "a new user namespace" : "refused");
        _exit(r == 0 ? 0 : errno);
    });
}

/* Every descriptor is closed; the program shows none that is not its own. */
static void descriptors(void)
{
    unsigned open_ones = 0;

    for (int fd = 3; fd < 1024; fd++)
        open_ones += fcntl(fd, F_GETFD) != -1;
    printf("%u open\n", open_ones);
    closefrom(3);
    pause_ms(5);
    printf("opened as %d\n", open("/dev/null", O_RDONLY));
    fork_plain();
}

CASES({ "fork", fork_plain }, { "fork-in-thread", fork_in_thread }, { "fork-behind", fork_behind },
      { "fork-in-handler", fork_in_handler }, { "fork-and-begin", fork_and_begin },
      { "fork-chain", fork_chain }, { "fork-handlers", fork_handlers }, { "vfork", vfork_exec }, { "spawn", spawn },
      { "pipes", pipes }, { "exec-forms", exec_forms },
      { "exec-fails", exec_fails }, { "exec-in-thread", exec_in_thread }, { "ends", ends },
      { "exit-in-thread", exit_in_thread }, { "daemon", daemonise }, { "identity", identity },
      { "namespaces", namespaces }, { "descriptors", descriptors })
