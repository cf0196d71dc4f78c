/* Locks of every kind: results and errno are those of libc, contended or not. */
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>

#include "cases.h"

static struct timespec soon, bad = { 0, 2000000000 }, *volatile no_time;

static pthread_mutex_t mutex_of(int type, int robust, int protocol, int shared)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutexattr_setrobust(&attr, robust);
    pthread_mutexattr_setprotocol(&attr, protocol);
    pthread_mutexattr_setpshared(&attr, shared);
    pthread_mutex_init(&m, &attr);
    return m;
}

static pthread_mutex_t *held;
static volatile int turn;

static void *lock_and_show(void *unused)
{
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(pthread_mutex_timedlock(held, &soon));
    soon = in_ms(CLOCK_MONOTONIC, 5);
    SHOW(pthread_mutex_clocklock(held, CLOCK_MONOTONIC, &soon));
    SHOW(pthread_mutex_trylock(held));
    SHOW(pthread_mutex_unlock(held));
    return NULL;
}

static void in_thread(void *(*routine)(void *), void *argument)
{
    pthread_t t;

    pthread_create(&t, NULL, routine, argument);
    pthread_join(t, NULL);
}

static void kind(const char *name, pthread_mutex_t m)
{
    puts(name);
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_timedlock(&m, no_time));
    held = &m;
    in_thread(lock_and_show, NULL);
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_clocklock(&m, CLOCK_PROCESS_CPUTIME_ID, &soon));
    SHOW(pthread_mutex_timedlock(&m, &bad));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_destroy(&m));
}

static void kinds(void)
{
    kind("normal", mutex_of(PTHREAD_MUTEX_NORMAL, 0, 0, 0));
    kind("adaptive", mutex_of(PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0));
    kind("inherit", mutex_of(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0));
    kind("shared", mutex_of(PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED));
    kind("robust", mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0));
}

static void errorcheck(void)
{
    pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0);

    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_lock(&m));
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(pthread_mutex_timedlock(&m, &soon));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_unlock(&m));
}

static void recursive(void)
{
    pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0);

    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_lock(&m));
    held = &m;
    in_thread(lock_and_show, NULL);
    SHOW(pthread_mutex_unlock(&m));
    in_thread(lock_and_show, NULL);
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_unlock(&m));
}

static void *lock_and_die(void *m)
{
    pthread_mutex_lock(m);
    return NULL;
}

static void robust(void)
{
    pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);

    in_thread(lock_and_die, &m);
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_consistent(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_unlock(&m));
    in_thread(lock_and_die, &m);
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_lock(&m));
}

/* The owner dies while another waits: the wait ends with EOWNERDEAD. */
static void *hold_and_die(void *m)
{
    pthread_mutex_lock(m);
    turn = 1;
    pause_ms(50);
    return NULL;
}

static void robust_wait(void)
{
    pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);
    pthread_t t;

    pthread_create(&t, NULL, hold_and_die, &m);
    while (!turn)
        sched_yield();
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_consistent(&m));
    SHOW(pthread_mutex_unlock(&m));
    pthread_join(t, NULL);
}

static void protect(void)
{
    pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_PROTECT, 0);

    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_lock(&m));
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void *try_rw(void *unused)
{
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(pthread_rwlock_timedrdlock(&rw, &soon));
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(pthread_rwlock_timedwrlock(&rw, &soon));
    soon = in_ms(CLOCK_MONOTONIC, 5);
    SHOW(pthread_rwlock_clockrdlock(&rw, CLOCK_MONOTONIC, &soon));
    soon = in_ms(CLOCK_MONOTONIC, 5);
    SHOW(pthread_rwlock_clockwrlock(&rw, CLOCK_MONOTONIC, &soon));
    return NULL;
}

static void rwlock(void)
{
    SHOW(pthread_rwlock_timedrdlock(&rw, &bad));
    SHOW(pthread_rwlock_timedwrlock(&rw, &bad));
    SHOW(pthread_rwlock_clockrdlock(&rw, CLOCK_PROCESS_CPUTIME_ID, &soon));
    SHOW(pthread_rwlock_clockwrlock(&rw, CLOCK_MONOTONIC, &bad));
    SHOW(pthread_rwlock_wrlock(&rw));
    SHOW(pthread_rwlock_wrlock(&rw));
    SHOW(pthread_rwlock_rdlock(&rw));
    in_thread(try_rw, NULL);
    SHOW(pthread_rwlock_unlock(&rw));
    SHOW(pthread_rwlock_rdlock(&rw));
    SHOW(pthread_rwlock_unlock(&rw));
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *ping(void *me)
{
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < 100; i++) {
        while (turn % 2 != (me != NULL))
            pthread_cond_wait(&cond, &mutex);
        turn++;
        if (i % 2)
            pthread_cond_signal(&cond);
        else
            pthread_cond_broadcast(&cond);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void condition(void)
{
    pthread_t a, b;

    pthread_mutex_lock(&mutex);
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(pthread_cond_timedwait(&cond, &mutex, &soon));
    SHOW(pthread_cond_timedwait(&cond, &mutex, &bad));
    soon = in_ms(CLOCK_MONOTONIC, 5);
    SHOW(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &soon));
    SHOW(pthread_cond_clockwait(&cond, &mutex, CLOCK_PROCESS_CPUTIME_ID, &soon));
    pthread_mutex_unlock(&mutex);
    SHOW(pthread_cond_signal(&cond));
    pthread_create(&a, NULL, ping, NULL);
    pthread_create(&b, NULL, ping, "second");
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("turns %d\n", turn);
}

#ifdef __x86_64__
/* As a program of before 2003 has it: a pointer, NULL at first. */
static void *old_cond;
int old_wait(void *c, pthread_mutex_t *m);
int old_timedwait(void *c, pthread_mutex_t *m, const struct timespec *until);
int old_signal(void *c);
int old_broadcast(void *c);
__asm__(".symver old_wait, pthread_cond_wait@GLIBC_2.2.5");
__asm__(".symver old_timedwait, pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver old_signal, pthread_cond_signal@GLIBC_2.2.5");
__asm__(".symver old_broadcast, pthread_cond_broadcast@GLIBC_2.2.5");
static struct { void *old; long around[8]; } guarded;

static void *old_ping(void *second)
{
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 2 != !!second)
            old_wait(&guarded.old, &mutex);
        turn++;
        i % 2 ? old_signal(&guarded.old) : old_broadcast(&guarded.old);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void old_condition(void)
{
    pthread_t a, b;
    int clean = 1;

    pthread_mutex_lock(&mutex);
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW(old_timedwait(&old_cond, &mutex, &soon));
    pthread_mutex_unlock(&mutex);
    pthread_create(&a, NULL, old_ping, NULL);
    pthread_create(&b, NULL, old_ping, "second");
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    for (int i = 0; i < 8; i++)
        clean &= guarded.around[i] == 0;
    printf("turns %d, nothing else written: %d\n", turn, clean);
}
#define OLD_CASES { "old-condition", old_condition },
#else
#define OLD_CASES
#endif

static sem_t sem;

static void on_signal(int no)
{
}

static void *interrupt(void *main_thread)
{
    pause_ms(10);
    pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
    return NULL;
}

static void semaphore(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    pthread_t self = pthread_self(), t;

    sem_init(&sem, 0, 1);
    SHOW_ERRNO(sem_wait(&sem));
    SHOW_ERRNO(sem_trywait(&sem));
    soon = in_ms(CLOCK_REALTIME, 5);
    SHOW_ERRNO(sem_timedwait(&sem, &soon));
    SHOW_ERRNO(sem_timedwait(&sem, &bad));
    soon = in_ms(CLOCK_MONOTONIC, 5);
    SHOW_ERRNO(sem_clockwait(&sem, CLOCK_MONOTONIC, &soon));
    SHOW_ERRNO(sem_clockwait(&sem, CLOCK_PROCESS_CPUTIME_ID, &soon));
    SHOW_ERRNO(sem_post(&sem));
    SHOW_ERRNO(sem_wait(&sem));
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&t, NULL, interrupt, &self);
    SHOW_ERRNO(sem_wait(&sem));
    pthread_join(t, NULL);
    sem_init(&sem, 0, SEM_VALUE_MAX);
    SHOW_ERRNO(sem_post(&sem));
}

static pthread_barrier_t barrier;
static int serial_count;

static void *arrive(void *unused)
{
    for (int i = 0; i < 50; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serial_count, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void barriers(void)
{
    pthread_t t[3];

    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, arrive, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    printf("serial %d\n", serial_count);
}

/* Memory that is unlocked and freed at once by another thread. */
struct box { pthread_mutex_t m; };
static struct box *handed;

static void *take_boxes(void *unused)
{
    for (int i = 0; i < 2000; i++) {
        struct box *b;

        while (!(b = __atomic_exchange_n(&handed, NULL, __ATOMIC_ACQ_REL)))
            sched_yield();
        pthread_mutex_lock(&b->m);
        pthread_mutex_unlock(&b->m);
        munmap(b, 4096);
    }
    return NULL;
}

static void unlock_and_gone(void)
{
    pthread_t t;

    pthread_create(&t, NULL, take_boxes, NULL);
    for (int i = 0; i < 2000; i++) {
        struct box *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        pthread_mutex_init(&b->m, NULL);
        pthread_mutex_lock(&b->m);
        while (__atomic_load_n(&handed, __ATOMIC_ACQUIRE))
            sched_yield();
        __atomic_store_n(&handed, b, __ATOMIC_RELEASE);
        sched_yield();
        pthread_mutex_unlock(&b->m);
    }
    pthread_join(t, NULL);
    puts("all gone");
}

static mtx_t c11_mutex;
static cnd_t c11_cond;
static int c11_ready;

static int c11_thread(void *unused)
{
    mtx_lock(&c11_mutex);
    c11_ready = 1;
    cnd_signal(&c11_cond);
    mtx_unlock(&c11_mutex);
    return 42;
}

static void c11(void)
{
    thrd_t t;
    int result = 0;

    mtx_init(&c11_mutex, mtx_timed);
    cnd_init(&c11_cond);
    mtx_lock(&c11_mutex);
    printf("trylock %d\n", mtx_trylock(&c11_mutex));
    soon = in_ms(CLOCK_REALTIME, 5);
    printf("timedlock %d\n", mtx_timedlock(&c11_mutex, &soon));
    soon = in_ms(CLOCK_REALTIME, 5);
    printf("timedwait %d\n", cnd_timedwait(&c11_cond, &c11_mutex, &soon));
    thrd_create(&t, c11_thread, NULL);
    while (!c11_ready)
        cnd_wait(&c11_cond, &c11_mutex);
    mtx_unlock(&c11_mutex);
    printf("join %d", thrd_join(t, &result));
    printf(" result %d\n", result);
    printf("sleep %d\n", thrd_sleep(&(struct timespec){ 0, 1000000 }, NULL));
}

CASES({ "kinds", kinds }, { "errorcheck", errorcheck }, { "recursive", recursive }, { "robust", robust },
      { "robust-wait", robust_wait }, { "protect", protect }, { "rwlock", rwlock }, { "condition", condition }, OLD_CASES
      { "semaphore", semaphore }, { "barriers", barriers }, { "unlock-and-gone", unlock_and_gone }, { "c11", c11 })
