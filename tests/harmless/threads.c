/* Threads: many, short, small, with stacks of their own making, ended in every way while the recorder watches. */
#include "harmless.h"

#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t gate, arrived;

static pthread_attr_t with_stack(size_t size)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    if (pthread_attr_setstacksize(&attr, size))
        abort();
    return attr;
}

static void *wait_at_gate(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    sem_post(&arrived);
    sem_wait(&gate);
    free(malloc(100));
    return unused;
}

static void at_once(int count)
{
    pthread_attr_t attr = with_stack(16384);
    pthread_t *t = malloc(sizeof *t * (size_t)count);
    int made = 0;

    sem_init(&gate, 0, 0);
    sem_init(&arrived, 0, 0);
    while (made < count && pthread_create(&t[made], &attr, wait_at_gate, NULL) == 0)
        made++;
    for (int i = 0; i < made; i++)
        while (sem_wait(&arrived) < 0)
            ;
    for (int i = 0; i < made; i++)
        sem_post(&gate);
    for (int i = 0; i < made; i++)
        pthread_join(t[i], NULL);
    free(t);
    printf("%d threads\n", made);
}

static void many(void)
{
    at_once(2000);
}

static void many_long(void)
{
    at_once(10000);
}

static void *live_shortly(void *argument)
{
    *(int *)argument += 1;
    free(argument);
    return malloc(20);
}

static void in_turn(int count)
{
    int ended = 0;

    for (int i = 0; i < count / 4; i++) {
        pthread_t t[4];

        for (int j = 0; j < 4; j++)
            if (pthread_create(&t[j], NULL, live_shortly, calloc(1, sizeof(int))))
                abort();
        for (int j = 0; j < 4; j++) {
            void *result;

            ended += pthread_join(t[j], &result) == 0;
            free(result);
        }
    }
    printf("%d threads\n", ended);
}

static void shortly(void)
{
    in_turn(4000);
}

static void shortly_long(void)
{
    in_turn(100000);
}

static volatile sig_atomic_t beats;

static void beat(int no)
{
    int saved = errno;

    (void)no;
    beats++;
    (void)!write(-1, "", 0);
    errno = saved;
}

/* Waits and calls of many families, over and over, on what room there is. */
static void *call_on_small_stack(void *unused)
{
    struct timespec t;
    struct stat st;
    fd_set set;
    char bytes[64];
    int pair[2], lost = 0;

    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        t = in_ms(CLOCK_MONOTONIC, 0);
        lost += sem_clockwait(&gate, CLOCK_MONOTONIC, &t) != -1;
        pthread_mutex_unlock(&mutex);
        FD_ZERO(&set);
        lost += pipe(pair) != 0 || write(pair[1], "x", 1) != 1;
        FD_SET(pair[0], &set);
        lost += select(pair[0] + 1, &set, NULL, NULL, NULL) < 0 && errno != EINTR;
        lost += poll(&(struct pollfd){ pair[0], POLLIN, 0 }, 1, 100) < 0 && errno != EINTR;
        lost += read(pair[0], bytes, sizeof bytes) != 1;
        lost += stat("/", &st) != 0;
        close(pair[0]);
        close(pair[1]);
        free(realloc(malloc(100), 100000));
        nanosleep(&(struct timespec){ 0, 1000 }, NULL);
    }
    printf("%d calls failed\n", lost);
    return unused;
}

/* With a signal each millisecond on the same 16 KiB, and CPU samples. */
static void small(void)
{
    pthread_attr_t attr = with_stack(16384);
    struct sigaction action = { .sa_handler = beat, .sa_flags = SA_RESTART };
    struct itimerspec often = { { 0, 1000000 }, { 0, 1000000 } };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
    sigset_t set;
    pthread_t t;
    timer_t timer;

    sem_init(&gate, 0, 0);
    sigaction(SIGUSR2, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    pthread_create(&t, &attr, call_on_small_stack, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_join(t, NULL);
    timer_delete(timer);
    sigtimedwait(&set, NULL, &(struct timespec){ 0, 0 });
}

static pthread_key_t key;
static int destroyed;

static void *from_destructor(void *value)
{
    pause_ms(1);
    return value;
}

/* Locks, allocates, waits, has a thread, and comes again until the last round there is, when the recorder has let go of the thread. */
static void destroy(void *value)
{
    pthread_mutex_lock(&mutex);
    destroyed++;
    pthread_mutex_unlock(&mutex);
    free(malloc(300000));
    in_thread(from_destructor, NULL);
    if ((size_t)value < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(key, (char *)value + 1);
}

static void clean_up(void *what)
{
    pthread_mutex_lock(&mutex);
    printf("cleaned up after %s\n", (const char *)what);
    pthread_mutex_unlock(&mutex);
}

static void *end_somehow(void *way)
{
    pthread_setspecific(key, (void *)1);
    pthread_cleanup_push(clean_up, way);
    if (strcmp(way, "exit") == 0)
        pthread_exit((void *)2);
    if (strcmp(way, "cancellation of itself") == 0) {
        pthread_cancel(pthread_self());
        pthread_testcancel();
    }
    if (strcmp(way, "cancellation") == 0)
        for (;;)
            sleep(60);
    pthread_cleanup_pop(1);
    return (void *)3;
}

static void endings(void)
{
    static char *const ways[] = { "return", "exit", "cancellation of itself", "cancellation" };

    pthread_key_create(&key, destroy);
    for (int i = 0; i < 12; i++) {
        void *result;
        pthread_t t;

        pthread_create(&t, NULL, end_somehow, ways[i % 4]);
        if (i % 4 == 3)
            pthread_cancel(t);
        pthread_join(t, &result);
        printf("%s: %ld\n", ways[i % 4], (long)result);
    }
    printf("destroyed %d\n", destroyed);
}

/* Main returns while detached threads are at work. */
static void outlived(void)
{
    start_busy(6);
    while (busy_count)
        pthread_detach(busy_threads[--busy_count]);
    pause_ms(30);
    fflush(stdout);
    exit(17);
}

static void *last_one(void *unused)
{
    pause_ms(30);
    say("the last thread ends");
    return unused;
}

/* Main is gone, the process lives until its last thread ends. */
static void main_first(void)
{
    pthread_t t;

    pthread_create(&t, NULL, last_one, NULL);
    pthread_detach(t);
    pthread_exit(NULL);
}

static int chain_length;

/* Each makes the next and is gone before that begins; what it allocated is freed there. */
static void *next_in_chain(void *block)
{
    pthread_t t;

    memset(block, 1, 100);
    free(block);
    if (++chain_length < 1000 && pthread_create(&t, NULL, next_in_chain, malloc(100)) == 0)
        pthread_detach(t);
    else
        sem_post(&gate);
    return NULL;
}

static void chain(void)
{
    sem_init(&gate, 0, 0);
    in_thread(next_in_chain, malloc(100));
    sem_wait(&gate);
    printf("%d in a chain\n", chain_length);
}

static int descend(int levels)
{
    volatile char room[8000];

    room[0] = (char)levels;
    if (levels == 0)
        pause_ms(2);
    return levels == 0 ? room[0] : descend(levels - 1) + room[0] - (char)levels;
}

/* The main thread's stack grows long after it was first looked at. */
static void deep(void)
{
    pause_ms(1);
    for (int i = 0; i < 3; i++)
        printf("%d\n", descend(800));
}

static int raw_thread(void *done)
{
    (void)!write(-1, "", 0);
    nanosleep(&(struct timespec){ 0, 1000 }, NULL);
    *(volatile int *)done = 1;
    return (int)syscall(SYS_exit, 0);
}

/* A thread that libc has not made: it has the TLS of who made it. */
static void raw(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    int ended = 0;

    for (int i = 0; i < 20; i++) {
        volatile int done = 0;
        int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

        if (clone(raw_thread, stack + sizeof stack, flags, (void *)&done) < 0)
            abort();
        while (!done)
            syscall(SYS_sched_yield);
        pause_ms(2);
        ended++;
    }
    printf("%d ended\n", ended);
}

static int leave_root(void *root)
{
    struct stat st;

    if (chroot(root) < 0 && errno != EPERM)
        _exit(2);
    _exit(chdir("/") == 0 && stat("/", &st) == 0 ? 7 : 1);
}

/* As chromium's sandbox leaves its root: by a child with its memory, and zeros for thread-local data. */
static void bare(void)
{
    static char stack[65536] __attribute__((aligned(16))), tls[16384] __attribute__((aligned(64)));
    int flags = CLONE_VM | CLONE_VFORK | CLONE_SETTLS | SIGCHLD;

    for (int i = 0; i < 20; i++) {
        memset(tls, 0, sizeof tls);
        printf("%d\n", status_of(clone(leave_root, stack + sizeof stack, flags, (void *)"/", NULL, tls + sizeof tls / 2)));
    }
}

static int null, letters[2];
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static char *const no_words[] = { NULL };

static int fork_once(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(5);
    return status_of(pid) - 5;
}

static int and_close(int fd)
{
    return fd < 0 ? fd : close(fd);
}

#define BARE(X) \
    X(write, write(null, "x", 1)) X(write_fails, write(-1, "x", 1)) X(read, read(null, &(char){ 0 }, 1)) \
    X(open, and_close(open("/dev/null", O_RDONLY))) X(open_fails, open("/nowhere", O_RDONLY)) X(dup, and_close(dup(null))) \
    X(sleep, nanosleep(&(struct timespec){ 0, 1000 }, NULL)) X(poll, poll(NULL, 0, 1)) \
    X(select, select(0, NULL, NULL, NULL, &(struct timeval){ 0, 1000 })) X(access, access("/nowhere", F_OK)) \
    X(mutex, (pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))) X(reader, pthread_rwlock_rdlock(&rwlock)) \
    X(malloc, (free(malloc(300000)), 0)) X(by_number, syscall(SYS_write, -1, "", 1)) X(send, send(letters[0], "x", 1, 0)) \
    X(recv, recv(letters[1], &(char){ 0 }, 1, 0)) X(fork, fork_once()) X(waitpid, waitpid(-1, NULL, WNOHANG)) \
    X(exec_fails, execve("/nowhere", no_words, no_words)) X(exit, (_exit(9), 0))
#define BARE_RUN(name, call) static int bare_##name(void *unused) { long r = (call); _exit(r < 0 ? 2 : r == 0 ? 3 : 4); }
BARE(BARE_RUN)
#define BARE_ROW(name, call) { #name, bare_##name },

/* Calls that libc makes without thread-local data, or with so little that zeros will do. */
static void bare_calls(void)
{
    static const struct { const char *name; int (*run)(void *); } calls[] = { BARE(BARE_ROW) };
    static char stack[65536] __attribute__((aligned(16))), tls[16384] __attribute__((aligned(64)));

    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, letters))
        abort();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        memset(tls, 0, sizeof tls);
        printf("%s: ", calls[i].name);
        printf("%d\n", status_of(clone(calls[i].run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_SETTLS | SIGCHLD, NULL, NULL,
                                       tls + sizeof tls / 2)));
    }
    close(null);
    close(letters[0]);
    close(letters[1]);
}

HARMLESS({ "many", many }, { "many-long", many_long }, { "shortly", shortly }, { "shortly-long", shortly_long },
         { "small", small }, { "endings", endings }, { "outlived", outlived }, { "main-first", main_first },
         { "chain", chain }, { "deep", deep },
         { "raw", raw }, { "bare", bare }, { "bare-calls", bare_calls })
