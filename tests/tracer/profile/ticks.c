/*
 * A program to which ticks could do harm, or be done harm.  tests/e2e/profile_ticks.py runs it.
 *
 *   ticks busy          two threads burn until standard input ends
 *   ticks burn MS       burns MS of CPU time; prints what it used, in ns
 *   ticks chain MS      while it burns, two handlers are put before SIGPROF one after the other, each of which calls the
 *                       one that it found, as profilers' do; exits with 1 unless each is called once a signal
 *   ticks foreign MS    burns under its own SIGPROF: an interval timer, and every 100 us one by kill(); prints what it used
 *   ticks asked MS      takes SIGPROF for itself while libc's way of making a thread blocks all signals, as far as others see;
 *                       then burns and prints what it used
 *   ticks waits MS      threads that wait in short calls which a signal would end; exits with 1 if one of them was ended
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned sink;
static atomic_bool stop;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void burn(int64_t ns)
{
    int64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end && !stop)
        for (unsigned i = 0; i < 20000; i++)
            sink = sink * 1664525 + i;
}

static void *burn_on(void *unused)
{
    burn(INT64_MAX / 2);
    return unused;
}

static int busy(void)
{
    pthread_t thread[2];
    char byte;

    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, burn_on, NULL);
    while (read(0, &byte, 1) > 0)
        ;
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

/* --- handlers that call each other --- */

static struct sigaction found[2];
static volatile int calls[2], depth, deepest;

static void pass_to(const struct sigaction *next, int number, siginfo_t *info, void *context)
{
    if (next->sa_flags & SA_SIGINFO)
        next->sa_sigaction(number, info, context);
    else if (next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN)
        next->sa_handler(number);
}

static void handle(int which, int number, siginfo_t *info, void *context)
{
    if (++depth > deepest)
        deepest = depth;
    calls[which]++;
    if (depth < 10)
        pass_to(&found[which], number, info, context);
    depth--;
}

static void first(int number, siginfo_t *info, void *context)
{
    handle(0, number, info, context);
}

static void second(int number, siginfo_t *info, void *context)
{
    handle(1, number, info, context);
}

static int chain(int64_t ns)
{
    static void (*const handlers[2])(int, siginfo_t *, void *) = { first, second };
    enum { SIGNALS = 20 };

    for (int i = 0; i < 2; i++) {
        struct sigaction act = { .sa_sigaction = handlers[i], .sa_flags = SA_SIGINFO | SA_RESTART };

        burn(ns / 3);
        sigaction(SIGPROF, &act, &found[i]);
    }
    burn(ns / 3);
    for (int i = 0; i < SIGNALS; i++)
        raise(SIGPROF);
    printf("%d %d %d\n", calls[0], calls[1], deepest);
    return calls[0] != SIGNALS || calls[1] != SIGNALS || deepest != 2 || found[0].sa_handler != SIG_DFL;
}

/* --- somebody else's ticks --- */

static atomic_int ticks;

static void count(int number)
{
    (void)number;
    ticks++;
}

static void *send_storm(void *unused)
{
    while (!stop) {
        kill(getpid(), SIGPROF);
        usleep(100);
    }
    return unused;
}

static int foreign(int64_t ns)
{
    struct sigaction act = { .sa_handler = count, .sa_flags = SA_RESTART };
    struct itimerval every = { { 0, 4000 }, { 0, 4000 } }, never = { 0 };
    pthread_t thread;

    sigaction(SIGPROF, &act, NULL);
    pthread_create(&thread, NULL, send_storm, NULL);
    setitimer(ITIMER_PROF, &every, NULL);
    burn(ns);
    setitimer(ITIMER_PROF, &never, NULL);
    stop = true;
    pthread_join(thread, NULL);
    printf("%lld\n", (long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
    return ticks < 100;
}

/* Who looks for a signal in place of SIGPROF finds us with all blocked, and has to look again: a turn is a second away. */
static int asked(int64_t ns)
{
    struct sigaction act = { .sa_handler = count };
    uint64_t all = ~UINT64_C(0), before = 0;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, 8);
    sigaction(SIGPROF, &act, NULL);
    usleep(2000);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    burn(ns);
    printf("%lld\n", (long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}

/* --- waits --- */

static atomic_int ended, waits;
static int64_t until;
static int quiet[2];                    /* a socket on which nothing ever comes */

/* One call of 20 us to a millisecond; false when it was ended by a signal, or before its time. */
static bool wait_once(unsigned kind)
{
    struct timespec brief = { 0, 20000 }, now;
    struct timeval tv = { 0, 50 };
    struct epoll_event event;
    static __thread int epoll = -1;
    sem_t never;
    char byte;
    fd_set set;

    switch (kind % 7) {
    case 0: return nanosleep(&brief, NULL) == 0;
    case 1: return clock_nanosleep(CLOCK_MONOTONIC, 0, &brief, NULL) == 0;
    case 2: return poll(&(struct pollfd){ quiet[0], POLLIN, 0 }, 1, 1) == 0;
    case 3:
        FD_ZERO(&set);
        FD_SET(quiet[0], &set);
        return select(quiet[0] + 1, &set, NULL, NULL, &tv) == 0;
    case 4:
        if (epoll < 0)
            epoll = epoll_create1(0);
        return epoll_wait(epoll, &event, 1, 1) == 0;
    case 5:
        sem_init(&never, 0, 0);
        clock_gettime(CLOCK_REALTIME, &now);
        now.tv_nsec += now.tv_nsec < 999000000 ? 50000 : 0;
        return sem_timedwait(&never, &now) == -1 && errno == ETIMEDOUT;
    default:                            /* SO_RCVTIMEO: not even SA_RESTART helps */
        return recv(quiet[0], &byte, 1, 0) == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
}

/* Each has work to do in between, or no tick would ever come near. */
static void *wait_often(void *kind)
{
    while (clock_ns(CLOCK_MONOTONIC) < until) {
        if (!wait_once((unsigned)(uintptr_t)kind))
            ended++;
        waits++;
        burn(5000);
    }
    return NULL;
}

static int wait_all(int64_t ns)
{
    enum { THREADS = 14 };
    struct timeval brief = { 0, 1000 };
    pthread_t thread[THREADS];

    socketpair(AF_UNIX, SOCK_STREAM, 0, quiet);
    setsockopt(quiet[0], SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
    until = clock_ns(CLOCK_MONOTONIC) + ns;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, wait_often, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    printf("%d %d\n", waits, ended);
    return ended != 0;
}

int main(int argc, char **argv)
{
    int64_t ns = argc > 2 ? atoll(argv[2]) * 1000000 : 0;
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "busy") == 0)
        return busy();
    if (strcmp(what, "chain") == 0)
        return chain(ns);
    if (strcmp(what, "foreign") == 0)
        return foreign(ns);
    if (strcmp(what, "asked") == 0)
        return asked(ns);
    if (strcmp(what, "waits") == 0)
        return wait_all(ns);
    burn(ns);
    printf("%lld\n", (long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
