/* Signals: storms of them, handlers that call everything, on stacks that are small, after faults; who gets which, and when. */
#include "harmless.h"

#include <poll.h>
#include <setjmp.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t beats, in_malloc, wrong;
static sem_t sem;
static int null;
enum { STORM = 3000 };
static timer_t beating;

static void beat_each(int no, long ns, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    struct itimerspec often = { { 0, ns }, { 0, ns } };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = no };

    sigaction(no, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &beating);
    timer_settime(beating, 0, &often, NULL);
}

static void stop_beat(int no)
{
    timer_delete(beating);
    signal(no, SIG_IGN);
    signal(no, SIG_DFL);
}

/* All that a handler may call, and malloc where it interrupted nobody's. */
static void call_everything(int no)
{
    int saved = errno, value, fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct stat st;
    char byte;

    beats++;
    wrong += read(fd, &byte, 1) != 0;
    wrong += write(fd, &byte, 1) != 1;
    wrong += fstat(fd, &st) != 0 || stat("/", &st) != 0 || access("/nowhere", F_OK) != -1 || errno != ENOENT;
    close(fd);
    poll(NULL, 0, 0);
    select(0, NULL, NULL, NULL, &(struct timeval){ 0, 0 });
    nanosleep(&(struct timespec){ 0, 1 }, NULL);
    sem_post(&sem);
    sem_wait(&sem);
    sem_getvalue(&sem, &value);
    if (pthread_mutex_trylock(&mutex) == 0)
        pthread_mutex_unlock(&mutex);
    if (beats % 256 == 0) {
        pid_t pid = _Fork();

        if (pid == 0)
            _exit(4);
        wrong += status_of(pid) != 4;
    }
    if (!in_malloc)
        free(malloc(5000));
    if (no == SIGUSR2 && beats % 16 == 0)
        raise(SIGUSR1);
    errno = saved;
}

/* Where the handler takes longer than 100 us it is all that runs: it ends the storm itself. */
static void storm_over(int no)
{
    static const struct itimerspec never;

    call_everything(no);
    if (beats >= STORM)
        timer_settime(beating, 0, &never, NULL);
}

/* Every 100 us, for as long as it takes until 3000 came. */
static void storm(void)
{
    struct sigaction action = { .sa_handler = call_everything };

    sem_init(&sem, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    beat_each(SIGUSR2, 100000, storm_over, SA_RESTART);
    while (beats < STORM) {
        errno = 4711;
        pthread_mutex_lock(&mutex);
        wrong += write(null, "x", 1) != 1;
        pthread_mutex_unlock(&mutex);
        in_malloc = 1;
        free(malloc(200000));
        in_malloc = 0;
        wrong += errno != 4711;
    }
    stop_beat(SIGUSR2);
    printf("%s\n", wrong ? "wrong" : "all right");
    signal(SIGUSR1, SIG_DFL);
}

static volatile sig_atomic_t depth, deepest;

/* Each interrupts the one before, in the middle of a call. */
static void nest(int no)
{
    int saved = errno;

    if (++depth > deepest)
        deepest = depth;
    (void)!write(-1, "", 0);
    if (depth < 12)
        raise(no);
    nanosleep(&(struct timespec){ 0, 1 }, NULL);
    depth--;
    errno = saved;
}

static void nested(void)
{
    struct sigaction action = { .sa_handler = nest, .sa_flags = SA_NODEFER };

    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 200; i++) {
        raise(SIGUSR1);
        errno = 4711;
        (void)!write(null, "", 0);
        wrong += errno != 4711;
    }
    printf("%d deep, %s\n", deepest, wrong || depth ? "wrong" : "all right");
    signal(SIGUSR1, SIG_DFL);
}

static sigjmp_buf out;
static volatile sig_atomic_t faults;

static void on_fault(int no)
{
    (void)no;
    faults++;
    (void)!write(null, "x", 1);
    nanosleep(&(struct timespec){ 0, 1 }, NULL);
    pthread_mutex_trylock(&mutex);
    pthread_mutex_unlock(&mutex);
    siglongjmp(out, 1);
}

static int overflow(volatile char *before)
{
    volatile char room[4096];

    room[0] = before ? before[0] : 1;
    return overflow(room) + room[0];
}

static size_t with_alternate_stack(size_t more)
{
    size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ) + more;
    stack_t stack = { .ss_sp = malloc(size), .ss_size = size };

    if (sigaltstack(&stack, NULL))
        abort();
    return size;
}

/* A stack that overflowed leaves only the alternate one, of which there is little. */
static void *overflow_often(void *unused)
{
    with_alternate_stack(4096);
    for (volatile int i = 0; i < 20; i++)
        if (sigsetjmp(out, 1) == 0)
            overflow(NULL);
    return unused;
}

static void alternate(void)
{
    struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };

    sigaction(SIGSEGV, &action, NULL);
    in_thread(overflow_often, NULL);
    printf("%d faults\n", faults);
    signal(SIGSEGV, SIG_DFL);
}

/* Frames that lead nowhere, and then a fault in them; the handler goes on as if nothing was. */
static __attribute__((noinline)) void wreck(long round)
{
    volatile char *room = __builtin_alloca((size_t)(round % 64 + 1));        /* of unknown size: unwinders are told that rbp leads on */
    long nowhere = round % 2 ? round * 0x1111111111 : (long)room + (round << 24);     /* below the stack, and beyond its end */

    room[0] = (char)round;
#if defined(__x86_64__)
    asm volatile("push %%rbp\n\tmov %0, %%rbp\n\tmovl $0, (%1)\n\tpop %%rbp" : : "r"(nowhere), "r"(8L) : "memory");
#else
    *(volatile int *)8 = (int)round;
#endif
}

static void faulting(void)
{
    struct sigaction action = { .sa_handler = on_fault };
    pid_t pid;

    sigaction(SIGSEGV, &action, NULL);
    for (volatile int i = 0; i < 300; i++)
        if (sigsetjmp(out, 1) == 0)
            wreck(i);
    printf("%d faults\n", faults);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        wreck(3);
    }
    printf("a child ends with %d\n", status_of(pid));
    signal(SIGSEGV, SIG_DFL);
}

static void *block_and_wait(void *gate)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    sem_post(&sem);
    sem_wait(gate);
    return NULL;
}

/* A process all of whose threads block a signal gets it when one of them asks, no sooner: no thread of ours takes it. */
static void pending(void)
{
    static const int numbers[] = { SIGUSR1, SIGTERM, SIGURG, SIGPROF, SIGVTALRM, SIGHUP, SIGCHLD, SIGPIPE, SIGALRM,
                                   SIGSTKFLT, SIGPWR };
    sigset_t all, set;
    sem_t gate;
    pthread_t t;
    int got;

    sem_init(&sem, 0, 0);
    sem_init(&gate, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_create(&t, NULL, block_and_wait, &gate);
    sem_wait(&sem);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kill(getpid(), numbers[i]);
        pause_ms(2);
        sigpending(&set);
        sigemptyset(&all);
        sigaddset(&all, numbers[i]);
        printf("signal %d is pending: %d", numbers[i], sigismember(&set, numbers[i]));
        got = 0;
        printf(", sigwait: %d", sigwait(&all, &got));
        printf(", got %d\n", got);
    }
    sem_post(&gate);
    pthread_join(t, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

/* Order and values of queued ones, by each way of taking them. */
static void queued(void)
{
    struct signalfd_siginfo read_info;
    siginfo_t info;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (int i = 0; i < 4; i++)
        sigaddset(&set, SIGRTMIN + i);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    for (int i = 0; i < 12; i++)
        sigqueue(getpid(), SIGRTMIN + (11 - i) % 4, (union sigval){ .sival_int = i });
    for (int i = 0; i < 6; i++) {
        int no = sigtimedwait(&set, &info, &(struct timespec){ 1, 0 });

        printf("%d: %d\n", no - SIGRTMIN, info.si_value.sival_int);
        if (read(fd, &read_info, sizeof read_info) == sizeof read_info)
            printf("%d: %d\n", (int)read_info.ssi_signo - SIGRTMIN, read_info.ssi_int);
    }
    close(fd);
    SHOW_ERRNO(sigtimedwait(&set, &info, &(struct timespec){ 0, 0 }));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static volatile bool quiet;
static pthread_barrier_t step;

static void *burn(void *unused)
{
    while (!quiet)
        for (volatile int i = 0; i < 100000; i++)
            ;
    return unused;
}

/* Two threads do this, and must print in the same order each time. */
static void *wait_long(void *unused)
{
    struct timespec left = { 0, 0 }, t;
    int pair[2];

    SHOW_ERRNO(nanosleep(&(struct timespec){ 0, 350000000 }, &left));
    pthread_barrier_wait(&step);
    SHOW_ERRNO(poll(NULL, 0, 350));
    pthread_barrier_wait(&step);
    SHOW_ERRNO(select(0, NULL, NULL, NULL, &(struct timeval){ 0, 350000 }));
    pthread_barrier_wait(&step);
    t = in_ms(CLOCK_REALTIME, 350);
    SHOW_ERRNO(sem_timedwait(&sem, &t));
    pthread_barrier_wait(&step);
    SHOW_ERRNO(pipe(pair));
    pthread_barrier_wait(&step);
    SHOW_ERRNO(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 350000000 }, NULL));
    return unused;
}

/* CPU samples and turns of generations interrupt nobody. */
static void undisturbed(void)
{
    pthread_t t[2];

    sem_init(&sem, 0, 0);
    pthread_barrier_init(&step, NULL, 2);
    pthread_create(&t[0], NULL, burn, NULL);
    pthread_create(&t[1], NULL, wait_long, NULL);
    wait_long(NULL);
    pthread_join(t[1], NULL);
    quiet = true;
    pthread_join(t[0], NULL);
    pthread_barrier_destroy(&step);
}

static void count(int no)
{
    (void)no;
    beats++;
}

/* The program's own profiling timers, and what they do by default. */
static void own_timers(void)
{
    struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, never = { 0 };
    static const int kinds[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF }, numbers[] = { SIGALRM, SIGVTALRM, SIGPROF };

    for (int i = 0; i < 3; i++) {
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            setitimer(kinds[i], &often, NULL);
            burn(NULL);
        }
        printf("by default: %d\n", status_of(pid));
        beats = 0;
        signal(numbers[i], count);
        setitimer(kinds[i], &often, NULL);
        while (beats < 5)
            for (volatile int j = 0; j < 100000; j++)
                ;
        setitimer(kinds[i], &never, NULL);
        printf("handled: %d\n", beats >= 5);
        signal(numbers[i], SIG_IGN);
        signal(numbers[i], SIG_DFL);
    }
}

static __attribute__((constructor)) void begin(void)
{
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
}

HARMLESS({ "storm", storm }, { "nested", nested }, { "alternate", alternate }, { "faulting", faulting },
         { "pending", pending }, { "queued", queued }, { "undisturbed", undisturbed }, { "own-timers", own_timers })
