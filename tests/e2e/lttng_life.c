/* What lttng_life.py runs beside LTTng: one of several lives, by its first argument. */
#define _GNU_SOURCE
#include <ctrace.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void region(const char *name)
{
    trace_region_begin(name);
    trace_region_end();
}

/* --- exit: with something told before main(), and after it --- */

static int early;

__attribute__((constructor)) static void before(void)
{
    early = open("/dev/null", O_WRONLY);
    if (write(early, "a", 1) != 1)
        abort();
}

__attribute__((destructor)) static void after(void)
{
    if (write(early, "bc", 2) != 2)
        abort();
}

static void *exits(void *status)
{
    exit((int)(long)status);
}

static int ends(const char *how)
{
    pthread_t thread;

    if (strcmp(how, "return") == 0)
        return 5;
    if (strcmp(how, "exit") == 0)
        exit(6);
    if (strcmp(how, "_exit") == 0)
        _exit(7);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(8);
    pthread_create(&thread, NULL, exits, (void *)9);
    pthread_exit(NULL);
}

/*
 * --- wakers: who wakes comes when the other waits in the kernel, as libc's words say.  Who comes to wait while the other acts
 * could be too late to be told of, and waits for nothing.
 */

enum { ROUNDS = 200, LOCKED_AND_WAITED_FOR = 2, SEM_WAITERS = 1 };
static sem_t ping, pong;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn, held;

static void post(sem_t *sem)
{
    do
        usleep(100);
    while (__atomic_load_n((unsigned *)sem + SEM_WAITERS, __ATOMIC_ACQUIRE) == 0);
    sem_post(sem);
}

static void until_wanted(const pthread_mutex_t *mutex)
{
    do
        usleep(100);
    while (__atomic_load_n(&mutex->__data.__lock, __ATOMIC_ACQUIRE) != LOCKED_AND_WAITED_FOR);
}

static void *answer(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&ping);
        post(&pong);
    }
    pthread_mutex_lock(&lock);
    for (int i = 0; i < ROUNDS; i++) {
        while (turn != 1)
            pthread_cond_wait(&changed, &lock);
        turn = 0;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&ping);
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
        post(&pong);
    }
    return unused;
}

static int wakes(void)
{
    pthread_t thread;

    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_mutex_lock(&lock);
    pthread_create(&thread, NULL, answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        post(&ping);
        sem_wait(&pong);
    }
    until_wanted(&lock);
    for (int i = 0; i < ROUNDS; i++) {
        turn = 1;
        pthread_cond_signal(&changed);
        while (turn != 0)
            pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        post(&ping);
        until_wanted(&lock);
        pthread_mutex_unlock(&lock);
        sem_wait(&pong);
    }
    return pthread_join(thread, NULL);
}

/* --- threads that lock and allocate --- */

static void *locks(void *unused)
{
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&lock);
        free(malloc(1000 + (size_t)i));
        held++;
        if (i % 50 == 0)
            usleep(1000);
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

static int crowd(void)
{
    for (int round = 0; round < 4; round++) {
        pthread_t threads[4];

        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, locks, NULL);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
    }
    return held == 4 * 4 * 200 ? 0 : 1;
}

/* --- children, by all ways --- */

static void await(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        abort();
}

static int children(int also)
{
    char *words[] = { "true", NULL };
    int terminal;               /* also: by a call that LTTng cannot follow, too */
    pid_t child = fork();
    FILE *pipe;

    if (child == 0) {
        region("fork");
        child = fork();
        if (child == 0) {
            region("fork of a fork");
            _exit(0);
        }
        await(child);
        _exit(0);
    }
    await(child);
    child = vfork();
    if (child == 0) {
        execv("/bin/true", words);
        _exit(1);
    }
    await(child);
    if (posix_spawn(&child, "/bin/true", NULL, NULL, words, environ) != 0)
        abort();
    await(child);
    child = forkpty(&terminal, NULL, NULL, NULL);
    if (child == 0) {
        region("forkpty");
        _exit(0);
    }
    await(child);
    child = also ? _Fork() : fork();
    if (child == 0)
        _exit(write(1, "_Fork\n", 6) != 6);
    await(child);
    if (system("exit 0") != 0 || !(pipe = popen("exit 0", "r")) || pclose(pipe) != 0 || system("env -i /bin/true") != 0)
        abort();
    if (daemon(1, 1) != 0)
        return 1;
    region("daemon");
    return 0;
}

/* --- asked for by threads --- */

static void *enables(void *name)
{
    if (trace_lttng_enable() != 0)
        abort();
    getchar();                          /* until the session is there */
    region(name);
    return NULL;
}

/* One of a pool that was there before: it does nothing but wait, and what it is told. */
static void *works(void *unused)
{
    do
        sem_wait(&ping);
    while (!turn);
    return unused;
}

static int threads_enable(void)
{
    static char names[4][8] = { "one", "two", "three", "four" };
    pthread_t threads[4], pool;

    sem_init(&ping, 0, 0);
    pthread_create(&pool, NULL, works, NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, enables, names[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 50; i++) {
        usleep(1000);
        sem_post(&ping);
    }
    turn = 1;
    sem_post(&ping);
    return pthread_join(pool, NULL);
}

/* --- beside an allocator that has a thread of its own (lttng_allocator.c) --- */

static int allocates(void)
{
    if (trace_lttng_enable() != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    getchar();                          /* until the session is there */
    for (int i = 0; i < 300; i++) {
        free(malloc(1000));
        usleep(1000);
        region("turn");
    }
    return 0;
}

/* --- more threads than there are rows for, before a session and in it --- */

static void *nothing(void *unused)
{
    return unused;
}

static void make_threads(int count, void *(*routine)(void *))
{
    while (count--) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, routine, "late") != 0)
            abort();
        pthread_join(thread, NULL);
    }
}

static void *tells(void *name)
{
    region(name);
    return NULL;
}

static long resident_kb(void)
{
    long pages = 0, of_it = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%ld %ld", &pages, &of_it) != 2)
        abort();
    fclose(file);
    return of_it * (sysconf(_SC_PAGESIZE) / 1024);
}

static int many(void)
{
    long before;

    make_threads(10000, nothing);
    puts("ready");
    fflush(stdout);
    getchar();
    make_threads(1000, nothing);
    before = resident_kb();
    make_threads(20000, nothing);
    printf("%ld\n", resident_kb() - before);
    make_threads(20, tells);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "ends") == 0)
        return ends(argv[2]);
    if (strcmp(what, "wakes") == 0)
        return wakes();
    if (strcmp(what, "crowd") == 0)
        return crowd();
    if (strcmp(what, "children") == 0)
        return children(argc > 2);
    if (strcmp(what, "threads") == 0)
        return threads_enable();
    if (strcmp(what, "allocates") == 0)
        return allocates();
    if (strcmp(what, "many") == 0)
        return many();
    puts("ready");                      /* lives until its input ends, with a region each ms; loads a library when there is input */
    fflush(stdout);
    for (int flags = fcntl(0, F_SETFL, O_NONBLOCK); flags == 0; usleep(1000)) {
        char c;
        ssize_t n = read(0, &c, 1);

        region("turn");
        if (n == 0)
            break;
        if (n == 1 && !dlopen("libbz2.so.1.0", RTLD_NOW))
            abort();
    }
    return 0;
}
