/* Threads: how they begin, what they are called, and all the ways they end. */
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>

#include "cases.h"

static pthread_key_t keys[4];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int destroyed;

/* Locks, allocates, and comes again until the last round there is. */
static void destroy(void *value)
{
    pthread_mutex_lock(&mutex);
    destroyed++;
    pthread_mutex_unlock(&mutex);
    free(malloc(200000));
    free(malloc(20));
    if ((size_t)value < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(keys[0], (char *)value + 1);
}

static void *with_keys(void *unused)
{
    for (int i = 0; i < 4; i++)
        pthread_setspecific(keys[i], (void *)1);
    return (void *)77;
}

static void *exit_early(void *unused)
{
    with_keys(NULL);
    pthread_exit((void *)78);
}

static void join_and_show(pthread_t t)
{
    void *result = NULL;

    SHOW(pthread_join(t, &result));
    printf("result %ld\n", (long)result);
}

static void ends(void)
{
    pthread_t t;

    for (int i = 0; i < 4; i++)
        pthread_key_create(&keys[i], destroy);
    pthread_create(&t, NULL, with_keys, NULL);
    join_and_show(t);
    pthread_create(&t, NULL, exit_early, NULL);
    join_and_show(t);
    printf("destroyed %d\n", destroyed);
}

static void *wait_a_little(void *ms)
{
    pause_ms((long)ms);
    return ms;
}

static void joins(void)
{
    struct timespec soon;
    pthread_t t;

    SHOW(pthread_join(pthread_self(), NULL));
    pthread_create(&t, NULL, wait_a_little, (void *)40);
    SHOW(pthread_tryjoin_np(t, NULL));
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(pthread_timedjoin_np(t, NULL, &soon));
    soon.tv_nsec = 2000000000;
    SHOW(pthread_timedjoin_np(t, NULL, &soon));
    soon = in_ms(CLOCK_MONOTONIC, 5);
    SHOW(pthread_clockjoin_np(t, NULL, CLOCK_MONOTONIC, &soon));
    join_and_show(t);
    pthread_create(&t, NULL, wait_a_little, (void *)0);
    pause_ms(20);
    join_and_show(t);
    pthread_create(&t, NULL, wait_a_little, (void *)20);
    SHOW(pthread_detach(t));
    SHOW(pthread_join(t, NULL));
    SHOW(pthread_detach(t));
    pause_ms(30);
}

static void *tell_name(void *unused)
{
    char name[32];

    pthread_setname_np(pthread_self(), "first");
    pthread_getname_np(pthread_self(), name, sizeof name);
    puts(name);
    SHOW(pthread_setname_np(pthread_self(), "a name that is too long"));
    printf("prctl %d\n", prctl(PR_SET_NAME, "another name that is too long", 0, 0, 0));
    pthread_getname_np(pthread_self(), name, sizeof name);
    puts(name);
    printf("prctl %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    SHOW_ERRNO(prctl(PR_SET_NAME, 8, 0, 0, 0));
    return NULL;
}

static void names(void)
{
    pthread_t t;

    pthread_create(&t, NULL, tell_name, NULL);
    pthread_join(t, NULL);
}

static void *tell_stack(void *unused)
{
    pthread_attr_t attr;
    size_t size;

    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstacksize(&attr, &size);
    printf("stack %zu\n", size);
    pause_ms(1);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

/* As little as there may be, with every wrapper's frame on it. */
static void small_stack(void)
{
    pthread_attr_t attr;
    pthread_t t;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN > 16384 ? (size_t)PTHREAD_STACK_MIN : 16384);
    pthread_mutex_lock(&mutex);
    pthread_create(&t, &attr, tell_stack, NULL);
    pause_ms(10);
    pthread_mutex_unlock(&mutex);
    pthread_join(t, NULL);
}

/* In pages. */
static long mapped(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (fscanf(f, "%ld", &pages) != 1)
        abort();
    fclose(f);
    return pages;
}

/* Refused: nothing may be lost or left behind, however often. */
static void refused(void)
{
    struct sched_param high = { .sched_priority = 99 };
    pthread_attr_t attr;
    pthread_t t;
    int errors[2] = { 0 };
    long before;

    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setschedparam(&attr, &high);
    for (int i = 0; i < 600; i++) {
        int r = pthread_create(&t, &attr, wait_a_little, NULL);

        if (r == 0)
            pthread_join(t, NULL);
        errors[r != 0]++;
    }
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)1 << 47);
    before = mapped();
    for (int i = 0; i < 1200; i++)
        errors[pthread_create(&t, &attr, wait_a_little, NULL) != 0]++;
    printf("made %d, refused %d, mapped more: %d\n", errors[0], errors[1], mapped() - before > 100);
}

static sem_t gate;
static _Atomic int at_gate;

static void *wait_at_gate(void *unused)
{
    at_gate++;
    sem_wait(&gate);
    return NULL;
}

static void many_at_once(void)
{
    enum { MANY = 500 };
    static pthread_t t[MANY];
    pthread_attr_t attr;

    sem_init(&gate, 0, 0);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    for (int i = 0; i < MANY; i++)
        if (pthread_create(&t[i], &attr, wait_at_gate, NULL))
            abort();
    while (at_gate < MANY)
        usleep(1000);
    usleep(50000);                      /* who finds the gate open does not wait */
    for (int i = 0; i < MANY; i++)
        sem_post(&gate);
    for (int i = 0; i < MANY; i++)
        pthread_join(t[i], NULL);
    puts("all ended");
}

static void many_in_turn(void)
{
    pthread_t t;

    for (int i = 0; i < 3000; i++) {
        pthread_create(&t, NULL, wait_a_little, NULL);
        pthread_join(t, NULL);
    }
    puts("all ended");
}

static int descend(int levels)
{
    volatile char room[8000];

    room[0] = (char)levels;
    if (levels == 0)
        pause_ms(2);
    return levels == 0 ? room[0] : descend(levels - 1) + room[0];
}

/* The first thread's stack grows to where it was not when it was first looked at; from there its callers are seen as well. */
static void deep(void)
{
    pause_ms(1);
    descend(20);
    descend(600);
    puts("back");
}

static void *block_all(void *unused)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    printf("blocked: %d %d\n", sigismember(&now, SIGUSR1), sigismember(&now, SIGURG));
    return NULL;
}

static void masks(void)
{
    sigset_t set;
    pthread_t t;

    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    pthread_create(&t, NULL, block_all, NULL);
    pthread_join(t, NULL);
    sigemptyset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    pthread_create(&t, NULL, block_all, NULL);
    pthread_join(t, NULL);
}

static volatile sig_atomic_t beats;


/* A signal each 100 us, in threads that lock, allocate and write. */
static void *work_hard(void *unused)
{
    for (int i = 0; i < 3000; i++) {
        pthread_mutex_lock(&mutex);
        errno = 5;
        (void)!write(1, "", 0);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void beat(int no)
{
    int saved = errno;

    beats++;
    (void)!write(-1, "", 0);
    errno = saved;
}

static void signals(void)
{
    struct itimerspec often = { { 0, 100000 }, { 0, 100000 } };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
    struct sigaction action = { .sa_handler = beat, .sa_flags = SA_RESTART };
    pthread_t t[3];
    timer_t timer;

    sigaction(SIGUSR2, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, work_hard, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    timer_delete(timer);
    puts(beats ? "beaten" : "never");
}

CASES({ "ends", ends }, { "joins", joins }, { "names", names }, { "small-stack", small_stack }, { "refused", refused },
      { "many-at-once", many_at_once }, { "many-in-turn", many_in_turn }, { "masks", masks }, { "deep", deep }, { "signals", signals })
