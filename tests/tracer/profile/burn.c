/*
 * A program that burns known amounts of CPU time, or does odd things with signals.  tests/e2e/profile_cpu.py runs it.
 *
 *   burn shares MS      four threads, of which each burns MS, 2 MS, 3 MS and 4 MS: 80 % in `most`, 20 % in `least`; one
 *                       more sleeps.  Prints what each function and thread used.
 *   burn short US N     N threads, one after the other, of US microseconds each
 *   burn mixed MS N     N threads, one after the other, that burn 1 to MS ms each in `least`; the first thread burns as long in
 *                       `most` between them.  Prints what each function used.
 *   burn load N MS      N threads that burn MS each in `most`; prints what that was
 *   burn late MS        a raw clone that libc does not know burns MS
 *   burn shared MS      the same with the thread-local data of main, which burns as much
 *   burn fork MS        a child that burns MS
 *   burn timers MS      a child that has timers while it burns MS; fails when one of them is gone
 *   burn own            has a handler for SIGPROF and an interval timer; exits with 1 if it sees a tick that is not its own
 *   burn mask           blocks every signal, burns, and looks whether anything of ours can be seen
 *   burn killed         is ended by a SIGPROF that it sends to itself
 *   burn many N         N threads at once
 *   burn reused MS      two threads in turn with one tid burn MS each; 1 when there is no saying which tid is next
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned sink;

static int64_t used_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t process_ns(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000LL + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000LL;
}

/* The two have different bodies: alike ones would be made one. */
#define BURNER(name, factor) \
    __attribute__((noinline)) static int64_t name(int64_t ns) \
    { \
        int64_t start = used_ns(), end = start + ns, now; \
        unsigned x = 1; \
        do { \
            for (unsigned i = 0; i < 20000; i++) \
                x = x * (factor) + i; \
            now = used_ns(); \
        } while (now < end); \
        sink = x; \
        return now - start; \
    }
BURNER(most, 3)
BURNER(least, 5)

static _Atomic int64_t most_ns, least_ns;

static void burn_both(int64_t ns)
{
    for (int i = 0; i < 20; i++) {
        most_ns += most(ns / 20 * 4 / 5);
        least_ns += least(ns / 20 / 5);
    }
}

#define WORKER(name, times) \
    __attribute__((noinline)) static void *name(void *ms) \
    { \
        burn_both((intptr_t)ms * 1000000 * (times)); \
        printf(#name " %lld\n", (long long)used_ns()); \
        return NULL; \
    }
WORKER(one, 1)
WORKER(two, 2)
WORKER(three, 3)
WORKER(four, 4)

static void *sleeper(void *unused)
{
    for (int i = 0; i < 50; i++)
        usleep(20000);
    return unused;
}

static void shares(intptr_t ms)
{
    void *(*const routines[])(void *) = { one, two, three, four, sleeper };
    pthread_t threads[5];

    for (int i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, routines[i], (void *)ms);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    printf("most %lld\nleast %lld\n", (long long)most_ns, (long long)least_ns);
}

static void *brief(void *us)
{
    least((intptr_t)us * 1000);
    return NULL;
}

static void brief_ones(intptr_t us, int n)
{
    pthread_t thread;

    for (int i = 0; i < n; i++) {
        pthread_create(&thread, NULL, brief, (void *)us);
        pthread_join(thread, NULL);
    }
}

static void *brief_known(void *us)
{
    least_ns += least((intptr_t)us * 1000);
    return NULL;
}

/* Lengths at random: a rhythm would beat with the kernel's tick. */
static void mixed(int ms, int n)
{
    unsigned chance = 1;
    pthread_t thread;

    for (int i = 0; i < n; i++) {
        intptr_t us = 1000 + (int)((chance = chance * 1103515245 + 12345) >> 8) % ((ms - 1) * 1000);

        most_ns += most(us * 1000);
        pthread_create(&thread, NULL, brief_known, (void *)us);
        pthread_join(thread, NULL);
    }
    printf("most %lld\nleast %lld\n", (long long)most_ns, (long long)least_ns);
}

static void *loaded(void *ms)
{
    most_ns += most((intptr_t)ms * 1000000);
    return NULL;
}

static void load(int n, intptr_t ms)
{
    pthread_t threads[64];

    for (int i = 0; i < n && i < 64; i++)
        pthread_create(&threads[i], NULL, loaded, (void *)ms);
    for (int i = 0; i < n && i < 64; i++)
        pthread_join(threads[i], NULL);
    printf("most %lld\n", (long long)most_ns);
}

static int raw(void *ms)
{
    most((intptr_t)ms * 1000000);
    return 0;
}

static void late(intptr_t ms)
{
    static char stack[65536] __attribute__((aligned(16)));
    static char tls[8192] __attribute__((aligned(64)));
    static pid_t tid = -1;
    uintptr_t *tcb = (uintptr_t *)(tls + 4096);

    tcb[0] = tcb[2] = (uintptr_t)tcb;
    clone(raw, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
          CLONE_SETTLS | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID, (void *)ms, NULL, tcb, &tid);
    while (__atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0)
        usleep(1000);
}

static void shared(intptr_t ms)
{
    static char stack[65536] __attribute__((aligned(16)));
    static pid_t tid = -1;

    clone(raw, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
          CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID, (void *)ms, NULL, NULL, &tid);
    while (__atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0)
        ;
}

/* The kernel counts a process's timers from 0: the child's have the numbers that those of its parent's threads have. */
static int keeps_timers(intptr_t ms)
{
    enum { N = 8 };
    struct sigevent event = { .sigev_notify = SIGEV_NONE };
    struct itimerspec left;
    timer_t timers[N];
    int gone = 0;

    for (int i = 0; i < N; i++)
        if (timer_create(CLOCK_MONOTONIC, &event, &timers[i]) != 0)
            return 100;
    if (write(-1, "", 0) == 0)
        abort();
    most(ms * 1000000LL);
    for (int i = 0; i < N; i++)
        gone += timer_gettime(timers[i], &left) != 0;
    return gone;
}

static int timers_of_child(intptr_t ms)
{
    pthread_t threads[4];
    int status;

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, loaded, (void *)(2 * ms));
    most(ms * 1000000LL);
    if (fork() == 0)
        _exit(keeps_timers(ms));
    wait(&status);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return status ? 6 : 0;
}

static volatile sig_atomic_t own_ticks, foreign_ticks;

static void on_own(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    own_ticks++;
    foreign_ticks += info->si_code != SI_KERNEL;
}

static int own(void)
{
    const struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
    struct sigaction act, before;

    least(300000000);
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_own;
    act.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGPROF, &act, &before);
    if (before.sa_handler != SIG_DFL)
        return 2;
    setitimer(ITIMER_PROF, &often, NULL);
    most(1500000000);
    setitimer(ITIMER_PROF, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
    sigaction(SIGPROF, NULL, &before);
    printf("own %d\n", (int)own_ticks);
    return foreign_ticks != 0 || own_ticks < 50 || before.sa_sigaction != on_own;
}

static void *masked(void *ms)
{
    sigset_t set, pending;

    most((intptr_t)ms * 1000000);
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    sigpending(&pending);
    return sigismember(&set, SIGPROF) == 1 && sigismember(&pending, SIGPROF) == 0 ? NULL : (void *)1;
}

/* The pattern of many servers: every signal is blocked everywhere, and one thread waits for all of them. */
static int mask(void)
{
    sigset_t all, before, now;
    struct sigaction act;
    pthread_t thread;
    void *wrong;
    int number;

    sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, &before) != 0 || sigismember(&before, SIGPROF))
        return 2;
    pthread_create(&thread, NULL, masked, (void *)500);
    most(500000000);
    pthread_join(thread, &wrong);
    if (wrong)
        return 3;
    kill(getpid(), SIGTERM);
    if (sigwait(&all, &number) != 0 || number != SIGTERM)
        return 4;
    sigaction(SIGPROF, NULL, &act);
    if (act.sa_handler != SIG_DFL)
        return 5;
    raise(SIGPROF);                     /* blocked, so far as we know */
    sigpending(&now);
    if (!sigismember(&now, SIGPROF) || sigwait(&all, &number) != 0 || number != SIGPROF)
        return 6;
    sigprocmask(SIG_SETMASK, &before, &now);
    return sigismember(&now, SIGPROF) && sigismember(&now, SIGUSR1) && !sigismember(&before, SIGPROF) ? 0 : 7;
}

static pthread_barrier_t gathered;

static void *one_of_many(void *unused)
{
    pthread_barrier_wait(&gathered);
    least(2000000);
    pthread_barrier_wait(&gathered);
    return unused;
}

static void many(int n)
{
    pthread_t *threads = calloc((size_t)n, sizeof *threads);

    pthread_barrier_init(&gathered, NULL, (unsigned)n);
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, one_of_many, NULL);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

static long tids[2];

static void *first_of_two(void *ms)
{
    tids[0] = syscall(SYS_gettid);
    most((intptr_t)ms * 1000000);
    return NULL;
}

static void *second_of_two(void *ms)
{
    tids[1] = syscall(SYS_gettid);
    if (tids[1] == tids[0])
        least((intptr_t)ms * 1000000);
    return NULL;
}

/* Any other thread or process of the namespace may be born in between and get the tid, or the first one still has it. */
static int reused(intptr_t ms)
{
    pthread_t thread;

    pthread_create(&thread, NULL, first_of_two, (void *)ms);
    pthread_join(thread, NULL);
    for (unsigned tries = 0; tids[1] != tids[0] && tries < 100; tries++) {
        FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");

        if (!last)
            return 1;
        fprintf(last, "%ld", tids[0] - 1);
        fclose(last);
        pthread_create(&thread, NULL, second_of_two, (void *)ms);
        pthread_join(thread, NULL);
    }
    return tids[0] != tids[1];
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int ms = argc > 2 ? atoi(argv[2]) : 100, r = 0;

    if (strcmp(what, "shares") == 0)
        shares(ms);
    else if (strcmp(what, "short") == 0)
        brief_ones(ms, argc > 3 ? atoi(argv[3]) : 100);
    else if (strcmp(what, "mixed") == 0)
        mixed(ms, argc > 3 ? atoi(argv[3]) : 100);
    else if (strcmp(what, "load") == 0)
        load(ms, argc > 3 ? atoi(argv[3]) : 100);
    else if (strcmp(what, "late") == 0)
        late(ms);
    else if (strcmp(what, "shared") == 0)
        shared(ms);
    else if (strcmp(what, "own") == 0)
        r = own();
    else if (strcmp(what, "mask") == 0)
        r = mask();
    else if (strcmp(what, "killed") == 0)
        kill(getpid(), SIGPROF);
    else if (strcmp(what, "many") == 0)
        many(ms);
    else if (strcmp(what, "reused") == 0)
        r = reused(ms);
    else if (strcmp(what, "timers") == 0)
        r = timers_of_child(ms);
    else if (strcmp(what, "fork") == 0) {
        if (fork() == 0) {
            if (write(-1, "", 0) == 0)  /* a child is recorded from its first wrapped call on, also one that its parent made past us */
                abort();
            most(ms * 1000000LL);
            _exit(0);
        }
        wait(&r);
    } else {
        return 2;
    }
    printf("process %lld\n", (long long)process_ns());
    return r;
}
