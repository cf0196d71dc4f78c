/* Forks of every kind, out of every situation: what parents and children do is what they would do alone. */
#include "harmless.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

extern char **environ;

static void *thread_of_child(void *result)
{
    nanosleep(&(struct timespec){ 0, 1000 }, NULL);
    free(malloc(100000));
    *(int *)result += 1;
    return NULL;
}

/* Waits, allocates, writes, has a thread and a child of its own. */
static void child_works(int status)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int result = status;

    pthread_mutex_lock(&lock);
    in_thread(thread_of_child, &result);
    pthread_mutex_unlock(&lock);
    pid_t pid = fork();
    if (pid == 0)
        _exit(result == status + 1 ? 40 : 41);
    _exit(status_of(pid) == 40 ? status : 99);
}

/* Other threads are in the middle of events, of locks, of malloc. */
static void storm(void)
{
    int right = 0;

    start_busy(4);
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();

        if (pid == 0)
            child_works(i % 50);
        right += status_of(pid) == i % 50;
    }
    stop_busy();
    printf("%d children\n", right);
}

/* The same made without libc's knowing. */
static void storm_behind(void)
{
    int right = 0;

    start_busy(4);
    for (int i = 0; i < 40; i++) {
        pid_t pid = i % 2 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

        if (pid == 0) {
            (void)!write(-1, "", 0);
            nanosleep(&(struct timespec){ 0, 1000 }, NULL);
            syscall(SYS_exit_group, i);
        }
        right += status_of(pid) == i;
    }
    stop_busy();
    printf("%d children\n", right);
}

static volatile sig_atomic_t forked, forked_right;

static void fork_now(int no)
{
    int saved = errno;
    pid_t pid;

    (void)no;
    if (forked >= 60)
        return;
    pid = forked % 2 ? fork() : _Fork();
    if (pid == 0) {
        (void)!write(-1, "", 0);
        nanosleep(&(struct timespec){ 0, 1000 }, NULL);
        _exit(7);
    }
    forked_right += status_of(pid) == 7;
    forked++;
    errno = saved;
}

/* What a handler interrupts is the writing of events, most of the time. */
static void handler_storm(void)
{
    struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };

    signal(SIGALRM, fork_now);
    setitimer(ITIMER_REAL, &often, NULL);
    while (forked < 60)
        for (int i = 0; i < 1000; i++)
            (void)!write(-1, "", 0);
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%s\n", forked_right == forked ? "all right" : "wrong");
}

/* The parent is gone when the child begins to do something. */
static void orphan(void)
{
    pid_t parent = getpid();

    fflush(stdout);
    if (fork() > 0)
        _exit(5);
    while (getppid() == parent)
        pause_ms(1);
    pause_ms(100);
    start_busy(1);
    pause_ms(20);
    stop_busy();
    say("the orphan is done");
    _exit(6);
}

static void new_root(void)
{
    char folder[] = "/tmp/harmless-XXXXXX";
    pid_t pid;

    if (getuid() != 0 || !mkdtemp(folder)) {
        puts("not root");
        return;
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (chroot(folder) || chdir("/"))
            _exit(9);
        printf("%d %d\n", access("/proc", F_OK), errno);
        fflush(stdout);
        child_works(12);
    }
    printf("in another root: %d\n", status_of(pid));
    rmdir(folder);
}

static void another_user(void)
{
    pid_t pid;

    if (getuid() != 0) {
        puts("not root");
        return;
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        printf("%d %d\n", setresgid(65534, 65534, 65534), setresuid(65534, 65534, 65534));
        printf("user %d\n", getuid());
        fflush(stdout);
        child_works(13);
    }
    printf("as another user: %d\n", status_of(pid));
}

/* Programs that know nothing of us: without our environment, and linked statically. */
static void strangers(void)
{
    char *none[] = { NULL }, *show[] = { "env", NULL }, *alone[] = { "harmless-static", NULL };
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    pid_t pid;

    fflush(stdout);
    if (posix_spawn(&pid, "/usr/bin/env", NULL, NULL, show, none) == 0)
        printf("without environment: %d\n", status_of(pid));
    path[n < 0 ? 0 : n] = '\0';
    strcpy(strrchr(path, '/'), "/harmless-static");
    if (posix_spawn(&pid, path, NULL, NULL, alone, environ) == 0)
        printf("static: %d\n", status_of(pid));
}

static void vfork_storm(void)
{
    char *words[] = { "true", NULL };
    int right = 0;

    start_busy(3);
    for (int i = 0; i < 30; i++) {
        pid_t pid = vfork();

        if (pid == 0) {
            if (i % 3 == 0)
                execv("/bin/true", words);
            if (i % 3 == 1)
                execv("/nowhere", words);
            _exit(i % 3);
        }
        right += status_of(pid) == i % 3;
    }
    stop_busy();
    printf("%d children\n", right);
}

/* While others are busy: with a mask and a group of its own, with a descriptor that is closed and one that is opened, and in vain. */
static void spawn_storm(void)
{
    char *words[] = { "sh", "-c", "read line", NULL };          /* there is none: 1 */
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t all;
    int right = 0;

    sigfillset(&all);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attr, &all);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, 0);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    start_busy(4);
    for (int i = 0; i < 40; i++) {
        pid_t pid = -7;
        int r = posix_spawn(&pid, i % 4 == 3 ? "/nowhere" : "/bin/sh", i % 4 ? &actions : NULL, i % 2 ? &attr : NULL, words, environ);

        right += r ? i % 4 == 3 && r == ENOENT && pid == -7 : status_of(pid) == 1;
    }
    stop_busy();
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    printf("%d right\n", right);
}

static int in_shared_memory(void *value)
{
    (void)!write(-1, "", 0);
    usleep(1000);
    *(volatile int *)value += 1;
    return 8;
}

/* Two processes with one memory, the parent's TLS included. */
static void shared_memory(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    int value = 0, right = 0;

    for (int i = 0; i < 10; i++) {
        pid_t pid = clone(in_shared_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, &value);

        right += status_of(pid) == 8;
    }
    printf("%d children, value %d\n", right, value);
    pause_ms(1);
}

static void *become(void *words)
{
    pause_ms(2);
    execv("/proc/self/exe", words);
    return NULL;
}

/* A thread becomes another program while others are busy, over and over. */
static void exec_chain(void)
{
    const char *left = getenv("HARMLESS_LEFT");
    char *words[] = { "forks", "exec-chain", NULL }, text[16];
    pthread_t t;

    snprintf(text, sizeof text, "%d", left ? atoi(left) - 1 : 8);
    printf("%s left\n", text);
    if (atoi(text) == 0)
        return;
    setenv("HARMLESS_LEFT", text, 1);
    fflush(stdout);
    start_busy(4);
    pthread_create(&t, NULL, become, words);
    pthread_join(t, NULL);
}

/* Much memory to copy: a signal each millisecond would start the fork again and again. */
static void large(void)
{
    size_t size = 256u << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int right = 0;

    madvise(memory, size, MADV_NOHUGEPAGE);
    memset(memory, 1, size);
    start_busy(2);
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(memory[size - 1] + i);
        right += status_of(pid) == 1 + i;
    }
    stop_busy();
    printf("%d children\n", right);
}

static volatile sig_atomic_t asked_to_end;

static void end_soon(int no)
{
    (void)no;
    asked_to_end = 1;
}

static void serve(int listener)
{
    struct sigaction action = { .sa_handler = end_soon };
    char byte;

    sigaction(SIGTERM, &action, NULL);
    while (!asked_to_end) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
            ;
        close(fd);
    }
    exit(21);
}

/* Workers that share a listening socket, replaced one by one, as servers do. */
static void prefork(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), echoed = 0, ended = 0;
    pid_t workers[6];
    char byte = 'x';

    if (bind(listener, (struct sockaddr *)&a, size) || listen(listener, 100) || getsockname(listener, (struct sockaddr *)&a, &size))
        abort();
    fflush(stdout);
    for (int i = 0; i < 6; i++)
        if ((workers[i] = fork()) == 0)
            serve(listener);
    for (int i = 0; i < 120; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(fd, (struct sockaddr *)&a, size) == 0 && write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1)
            echoed++;
        close(fd);
        if (i % 20 == 10) {
            pid_t *old = &workers[i / 20], gone = *old;

            if ((*old = fork()) == 0)
                serve(listener);
            kill(gone, SIGKILL);
            ended += status_of(gone) == -SIGKILL;
        }
    }
    close(listener);
    for (int i = 0; i < 6; i++) {
        /* The signal may come between its look at the word and its call. */
        while (kill(workers[i], SIGTERM) == 0 && waitpid(workers[i], NULL, WNOHANG) == 0)
            pause_ms(5);
        ended++;
    }
    printf("%d echoed, %d ended\n", echoed, ended);
}

HARMLESS({ "storm", storm }, { "storm-behind", storm_behind }, { "handler-storm", handler_storm }, { "orphan", orphan },
         { "root", new_root }, { "user", another_user }, { "strangers", strangers }, { "vfork-storm", vfork_storm }, { "spawn-storm", spawn_storm },
         { "shared-memory", shared_memory }, { "exec-chain", exec_chain }, { "large", large }, { "prefork", prefork })
