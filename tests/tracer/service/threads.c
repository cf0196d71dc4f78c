/*
 * Threads in every state that a dump tells, until standard input ends.
 *
 *     locks [timed]   two and three that deadlock, one that locks twice, those that wait for one that sleeps
 *     states          that run, deep; that wait in calls nobody wraps; main does so too
 *     storm           short calls of all kinds; at the end: how many came back early, short or interrupted
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t ready;
static volatile unsigned long sum;

static void start(const char *name, void *(*routine)(void *), void *argument, pthread_t *ret)
{
    pthread_t thread;

    if (pthread_create(ret ? ret : &thread, NULL, routine, argument) != 0)
        exit(3);
    pthread_setname_np(ret ? *ret : thread, name);
}

static void await_input(void)
{
    char byte;

    while (read(0, &byte, 1) > 0)
        ;
}

/* --- locks --- */

static pthread_mutex_t pair[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_mutex_t ring[3] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_mutex_t kept = PTHREAD_MUTEX_INITIALIZER, own = PTHREAD_MUTEX_INITIALIZER, left = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER, read_by = PTHREAD_RWLOCK_INITIALIZER;
static bool timed;

struct two { pthread_mutex_t *first, *second; };

static void lock(pthread_mutex_t *mutex)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1000;
    if (timed)
        pthread_mutex_timedlock(mutex, &until);
    else
        pthread_mutex_lock(mutex);
}

static void *take_two(void *argument)
{
    struct two *two = argument;

    pthread_mutex_lock(two->first);
    pthread_barrier_wait(&ready);
    lock(two->second);
    return NULL;
}

static void *keep(void *unused)
{
    pthread_mutex_lock(&kept);
    pthread_rwlock_wrlock(&written);
    pthread_rwlock_rdlock(&read_by);
    pthread_barrier_wait(&ready);
    sleep(1000);
    return unused;
}

static void *want(void *unused)
{
    pthread_barrier_wait(&ready);
    pthread_mutex_lock(&kept);
    return unused;
}

static void *want_to_read(void *unused)
{
    pthread_barrier_wait(&ready);
    pthread_rwlock_rdlock(&written);
    return unused;
}

static void *want_to_write(void *unused)
{
    pthread_barrier_wait(&ready);
    pthread_rwlock_wrlock(&read_by);
    return unused;
}

static void *lock_and_leave(void *unused)
{
    pthread_mutex_lock(&left);
    return unused;
}

static void *want_what_was_left(void *unused)
{
    pthread_barrier_wait(&ready);
    pthread_mutex_lock(&left);
    return unused;
}

static void *join(void *thread)
{
    pthread_barrier_wait(&ready);
    pthread_join(*(pthread_t *)thread, NULL);
    return NULL;
}

static void run_locks(void)
{
    static struct two twos[] = {
        { &pair[0], &pair[1] }, { &pair[1], &pair[0] },
        { &ring[0], &ring[1] }, { &ring[1], &ring[2] }, { &ring[2], &ring[0] }, { &own, &own },
    };
    static const char *const names[] = { "pair-a", "pair-b", "ring-a", "ring-b", "ring-c", "twice" };
    static pthread_t keeper, leaver;

    start("leaver", lock_and_leave, NULL, &leaver);
    pthread_join(leaver, NULL);
    pthread_barrier_init(&ready, NULL, 6 + 6 + 1);
    for (int i = 0; i < 6; i++)
        start(names[i], take_two, &twos[i], NULL);
    start("keeper", keep, NULL, &keeper);
    start("wanter", want, NULL, NULL);
    start("reader", want_to_read, NULL, NULL);
    start("writer", want_to_write, NULL, NULL);
    start("orphan", want_what_was_left, NULL, NULL);
    start("joiner", join, &keeper, NULL);
    pthread_barrier_wait(&ready);
    await_input();
    _exit(0);
}

/* --- states --- */

static int file = -1, queue = -1;

__attribute__((noinline)) static void spin(void)
{
    do
        sum++;
    while (sum);
}

__attribute__((noinline)) static void deep(int depth)
{
    if (depth)
        deep(depth - 1);
    else
        spin();
    sum++;
}

static void *run(void *unused)
{
    deep(4);
    return unused;
}

/* As no wrapper sees it: syscall() has one. */
__attribute__((noinline)) static long kernel(long number, long a, long b, long c, long d, long e)
{
#ifdef __x86_64__
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
#else
    return syscall(number, a, b, c, d, e);
#endif
}

/* Each keeps a large local array, in which old frames lie about. */
__attribute__((noinline)) static void in_flock(void)
{
    volatile char local[3000];

    local[7] = 1;
    kernel(SYS_flock, file, LOCK_EX, 0, 0, 0);
    sum += (unsigned long)local[7];
}

__attribute__((noinline)) static void in_msgrcv(int (*call)(int))
{
    volatile char local[300];

    local[7] = 1;
    sum += (unsigned long)call(queue) + (unsigned long)local[7];
}

__attribute__((noinline)) static int receive(int number)
{
    struct { long type; char text[8]; } message;

    kernel(SYS_msgrcv, number, (long)&message, sizeof message.text, 0, 0);
    return message.text[0];
}

static void *wait_for_file(void *unused)
{
    in_flock();
    return unused;
}

static void *wait_for_message(void *unused)
{
    in_msgrcv(receive);
    return unused;
}

static void run_states(void)
{
    file = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    if (file < 0)
        exit(3);
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (flock(open(path, O_RDWR), LOCK_EX) != 0)
        exit(3);
    queue = msgget(IPC_PRIVATE, 0600);
    start("spinner-a", run, NULL, NULL);
    start("spinner-b", run, NULL, NULL);
    start("flocker", wait_for_file, NULL, NULL);
    start("receiver", wait_for_message, NULL, NULL);
    /* its end, by a call that nobody wraps either */
    char byte;

    while (syscall(SYS_read, 0, &byte, 1) > 0)
        ;
    msgctl(queue, IPC_RMID, NULL);
    _exit(0);
}

/* --- storm --- */

static _Atomic bool over;
static _Atomic unsigned long calls, spoilt;

static void judge(bool good, const char *what, long result)
{
    atomic_fetch_add(&calls, 1);
    if (good)
        return;
    if (atomic_fetch_add(&spoilt, 1) < 10)
        fprintf(stderr, "%s: %ld, %s\n", what, result, strerror(errno));
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void burn(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sum += i;
}

static void *short_sleeps(void *unused)
{
    const struct timespec wait = { 0, 200000 };
    int epoll = epoll_create1(0);
    struct epoll_event event;
    sigset_t none;
    uint32_t word = 0;

    sigemptyset(&none);
    sigaddset(&none, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &none, NULL);
    while (!atomic_load(&over)) {
        int64_t begin = now();

        errno = 0;
        judge(nanosleep(&wait, NULL) == 0 && now() - begin >= 200000, "nanosleep", now() - begin);
        burn(20000);
        judge(poll(NULL, 0, 1) == 0, "poll", -1);
        burn(3000);
        judge(epoll_wait(epoll, &event, 1, 1) == 0, "epoll_wait", -1);
        begin = now();
        judge(sigtimedwait(&none, NULL, &wait) == -1 && errno == EAGAIN, "sigtimedwait", -1);
        judge(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &wait, NULL, 0) == -1 && errno == ETIMEDOUT, "futex", -1);
        burn(50000);
        judge(syscall(SYS_nanosleep, &wait, NULL) == 0, "raw nanosleep", -1);
    }
    close(epoll);
    return unused;
}

static void *short_reads(void *ends)
{
    int *fd = ends;
    char bytes[4096];

    for (;;) {
        long n = recv(fd[0], bytes, sizeof bytes, MSG_WAITALL);

        if (n == 0)
            break;
        judge(n == (long)sizeof bytes, "recv", n);
        burn(5000);
    }
    return NULL;
}

static void *short_writes(void *ends)
{
    int *fd = ends;
    static char bytes[65536];

    while (!atomic_load(&over)) {
        long n = send(fd[1], bytes, sizeof bytes, 0);

        judge(n == (long)sizeof bytes, "send", n);
    }
    shutdown(fd[1], SHUT_WR);
    return NULL;
}

static void *short_waits(void *unused)
{
    struct { long type; char text[8]; } message = { 1, "" };
    int box = msgget(IPC_PRIVATE, 0600);
    sem_t sem;

    sem_init(&sem, 0, 0);
    while (!atomic_load(&over)) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 300000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        judge(sem_timedwait(&sem, &until) == -1 && errno == ETIMEDOUT, "sem_timedwait", -1);
        judge(msgsnd(box, &message, sizeof message.text, 0) == 0, "msgsnd", -1);
        judge(msgrcv(box, &message, sizeof message.text, 0, 0) == (long)sizeof message.text, "msgrcv", -1);
        burn(10000);
    }
    msgctl(box, IPC_RMID, NULL);
    return unused;
}

static void run_storm(void)
{
    static int ends[2];
    pthread_t threads[5];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        exit(3);
    start("sleeps-a", short_sleeps, NULL, &threads[0]);
    start("sleeps-b", short_sleeps, NULL, &threads[1]);
    start("reads", short_reads, ends, &threads[2]);
    start("writes", short_writes, ends, &threads[3]);
    start("waits", short_waits, NULL, &threads[4]);
    await_input();
    atomic_store(&over, true);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    printf("calls=%lu spoilt=%lu\n", atomic_load(&calls), atomic_load(&spoilt));
    exit(atomic_load(&spoilt) != 0);
}

int main(int argc, char **argv)
{
    timed = argc > 2;
    if (argc > 1 && strcmp(argv[1], "locks") == 0)
        run_locks();
    if (argc > 1 && strcmp(argv[1], "states") == 0)
        run_states();
    if (argc > 1 && strcmp(argv[1], "storm") == 0)
        run_storm();
    return 2;
}
