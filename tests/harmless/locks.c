/* Locks that are shared with other processes, that prefer somebody, that go by a clock, that are gone once they are free. */
#include "harmless.h"

#include <stdatomic.h>

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

static void *shared_page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        abort();
    return page;
}

static void *lock_and_leave(void *m)
{
    pthread_mutex_lock(m);
    return NULL;
}

/* Who tries, who waits and who waits for a time learn of the owner's death; whoever does not mend it spoils it. */
static void robust(void)
{
    struct timespec soon;
    pthread_mutex_t m = mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);

    in_thread(lock_and_leave, &m);
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_consistent(&m));
    SHOW(pthread_mutex_unlock(&m));
    in_thread(lock_and_leave, &m);
    soon = in_ms(CLOCK_REALTIME, 1000);
    SHOW(pthread_mutex_timedlock(&m, &soon));
    SHOW(pthread_mutex_consistent(&m));
    SHOW(pthread_mutex_unlock(&m));
    in_thread(lock_and_leave, &m);
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_unlock(&m));
    for (int i = 0; i < 3; i++)         /* libc's trylock would keep it, once it is spoilt */
        SHOW(pthread_mutex_lock(&m));
    soon = in_ms(CLOCK_REALTIME, 1000);
    SHOW(pthread_mutex_timedlock(&m, &soon));
    SHOW(pthread_mutex_trylock(&m));
}

/* The owner is another process, and is killed while somebody waits. */
static void robust_process(void)
{
    struct { pthread_mutex_t mutex; volatile int held; } *page = shared_page();

    for (int i = 0; i < 10; i++) {
        page->mutex = mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, PTHREAD_PROCESS_SHARED);
        page->held = 0;
        pid_t pid = fork();

        if (pid == 0) {
            pthread_mutex_lock(&page->mutex);
            page->held = 1;
            pause_ms(5);
            kill(getpid(), SIGKILL);
        }
        while (!page->held)
            pause_ms(1);
        SHOW(pthread_mutex_lock(&page->mutex));
        SHOW(pthread_mutex_consistent(&page->mutex));
        SHOW(pthread_mutex_unlock(&page->mutex));
        status_of(pid);
    }
}

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    pthread_rwlock_t rwlock;
    pthread_barrier_t barrier;
    pthread_spinlock_t spin;
    sem_t sem;
    int turn, counted, read;
};

static void take_turns(struct shared *s, int me)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&s->mutex);
        while (s->turn % 3 != me)
            pthread_cond_wait(&s->cond, &s->mutex);
        s->turn++;
        pthread_cond_broadcast(&s->cond);
        pthread_mutex_unlock(&s->mutex);
        sem_wait(&s->sem);
        s->counted++;
        sem_post(&s->sem);
        pthread_rwlock_wrlock(&s->rwlock);
        s->read++;
        pthread_rwlock_unlock(&s->rwlock);
        pthread_rwlock_rdlock(&s->rwlock);
        pthread_rwlock_unlock(&s->rwlock);
        pthread_spin_lock(&s->spin);
        pthread_spin_unlock(&s->spin);
    }
    pthread_barrier_wait(&s->barrier);
}

static void shared(void)
{
    struct shared *s = shared_page();
    pthread_condattr_t cond;
    pthread_rwlockattr_t rwlock;
    pthread_barrierattr_t barrier;
    pid_t pids[2];

    s->mutex = mutex_of(PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&s->cond, &cond);
    pthread_rwlockattr_init(&rwlock);
    pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(&s->rwlock, &rwlock);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&s->barrier, &barrier, 3);
    pthread_spin_init(&s->spin, PTHREAD_PROCESS_SHARED);
    sem_init(&s->sem, 1, 1);
    for (int i = 0; i < 2; i++)
        if ((pids[i] = fork()) == 0) {
            take_turns(s, i + 1);
            _exit(3);
        }
    take_turns(s, 0);
    printf("ended %d %d, ", status_of(pids[0]), status_of(pids[1]));
    printf("turns %d, counted %d, written %d\n", s->turn, s->counted, s->read);
}

static pthread_mutex_t contended;
static int total;

static void *add_many(void *unused)
{
    for (int i = 0; i < 2000; i++) {
        if (pthread_mutex_lock(&contended))
            puts("not locked");
        total++;
        if (i % 100 == 0)
            pause_ms(0);
        if (pthread_mutex_unlock(&contended))
            puts("not unlocked");
    }
    return unused;
}

/* Every kind under contention counts right. */
static void contention(void)
{
    static const struct { const char *name; int type, robust, protocol, shared; } kinds[] = {
        { "normal", PTHREAD_MUTEX_NORMAL, 0, 0, 0 }, { "recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0, 0 },
        { "errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0 }, { "adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0 },
        { "inherit", PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0 },
        { "inherit, errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, PTHREAD_PRIO_INHERIT, 0 },
        { "inherit, robust", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT, 0 },
        { "robust", PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0 },
        { "shared", PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED },
    };

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        pthread_t t[3];

        contended = mutex_of(kinds[k].type, kinds[k].robust, kinds[k].protocol, kinds[k].shared);
        total = 0;
        for (int i = 0; i < 3; i++)
            pthread_create(&t[i], NULL, add_many, NULL);
        for (int i = 0; i < 3; i++)
            pthread_join(t[i], NULL);
        printf("%s: %d\n", kinds[k].name, total);
    }
}

/* Priorities that a lock lends: refused to who may not have them, the same with us. */
static void protect(void)
{
    struct sched_param low = { .sched_priority = 1 };
    pthread_mutexattr_t attr;
    pthread_mutex_t m;
    int old = 0;

    pthread_mutexattr_init(&attr);
    SHOW(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT));
    SHOW(pthread_mutexattr_setprioceiling(&attr, 5));
    SHOW(pthread_mutex_init(&m, &attr));
    SHOW(pthread_mutex_lock(&m));
    SHOW(sched_setscheduler(0, SCHED_FIFO, &low) ? errno : 0);
    SHOW(pthread_mutex_setprioceiling(&m, 3, &old));
    SHOW(pthread_mutex_lock(&m));
    printf("was %d, priority now %d\n", old, sched_getparam(0, &low) ? -1 : low.sched_priority);
    SHOW(pthread_mutex_trylock(&m));
    SHOW(pthread_mutex_unlock(&m));
    low.sched_priority = 0;
    SHOW(sched_setscheduler(0, SCHED_OTHER, &low) ? errno : 0);
}

static pthread_rwlock_t preferring;
static volatile bool writer_has;

static void *write_it(void *unused)
{
    pthread_rwlock_wrlock(&preferring);
    writer_has = true;
    pthread_rwlock_unlock(&preferring);
    return unused;
}

/* A reader has the lock, a writer waits: may another reader come in? */
static void preference(void)
{
    static const int kinds[] = { PTHREAD_RWLOCK_PREFER_READER_NP, PTHREAD_RWLOCK_PREFER_WRITER_NP,
                                 PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP };

    for (int i = 0; i < 3; i++) {
        pthread_rwlockattr_t attr;
        struct timespec soon;
        pthread_t t;
        int again;

        pthread_rwlockattr_init(&attr);
        pthread_rwlockattr_setkind_np(&attr, kinds[i]);
        pthread_rwlock_init(&preferring, &attr);
        writer_has = false;
        pthread_rwlock_rdlock(&preferring);
        pthread_create(&t, NULL, write_it, NULL);
        pause_ms(60);
        again = pthread_rwlock_tryrdlock(&preferring);
        printf("kind %d: %s", kinds[i], error_name(again));
        if (again == 0)
            pthread_rwlock_unlock(&preferring);
        soon = in_ms(CLOCK_REALTIME, 10);
        again = pthread_rwlock_timedrdlock(&preferring, &soon);
        printf(", %s, the writer %s\n", error_name(again), writer_has ? "was in" : "waits");
        if (again == 0)
            pthread_rwlock_unlock(&preferring);
        pthread_rwlock_unlock(&preferring);
        pthread_join(t, NULL);
    }
}

static void timed(clockid_t of_cond, clockid_t clock, long ms)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    struct timespec before, after, until;
    pthread_condattr_t attr;
    pthread_cond_t c;
    int r;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, of_cond);
    pthread_cond_init(&c, &attr);
    pthread_mutex_lock(&m);
    clock_gettime(CLOCK_MONOTONIC, &before);
    until = in_ms(clock, ms);
    r = clock == of_cond ? pthread_cond_timedwait(&c, &m, &until) : pthread_cond_clockwait(&c, &m, clock, &until);
    clock_gettime(CLOCK_MONOTONIC, &after);
    ms -= (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("condition's clock %d, wait's %d: %s, %s\n", of_cond, clock, error_name(r), ms <= 0 ? "in time" : "too early");
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_cond_destroy(&c));
}

static void clocks(void)
{
    for (clockid_t of = CLOCK_REALTIME; of <= CLOCK_MONOTONIC; of++)
        for (clockid_t clock = CLOCK_REALTIME; clock <= CLOCK_MONOTONIC; clock++)
            for (long ms = 0; ms < 31; ms += 30)
                timed(of, clock, ms);
}

struct things { pthread_mutex_t mutex; pthread_rwlock_t rwlock; sem_t done; pthread_cond_t cond; int ready; };
static struct things *_Atomic handed;

/* Who is let in frees what it came through, while the other is still on its way out of the call. */
static void *let_in(void *unused)
{
    for (int i = 0; i < 1500; i++) {
        struct things *t;

        while (!(t = atomic_exchange_explicit(&handed, NULL, memory_order_acq_rel)))
            sched_yield();
        pthread_rwlock_rdlock(&t->rwlock);
        pthread_rwlock_unlock(&t->rwlock);
        pthread_mutex_lock(&t->mutex);
        while (!t->ready)
            pthread_cond_wait(&t->cond, &t->mutex);
        pthread_mutex_unlock(&t->mutex);
        sem_wait(&t->done);
        if (i % 2)
            munmap(t, 4096);
        else
            mprotect(t, 4096, PROT_NONE);
    }
    return unused;
}

static void gone(void)
{
    pthread_t t;

    pthread_create(&t, NULL, let_in, NULL);
    for (int i = 0; i < 1500; i++) {
        struct things *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        pthread_mutex_init(&s->mutex, NULL);
        pthread_rwlock_init(&s->rwlock, NULL);
        pthread_cond_init(&s->cond, NULL);
        sem_init(&s->done, 0, 0);
        pthread_rwlock_wrlock(&s->rwlock);
        while (atomic_load_explicit(&handed, memory_order_acquire))
            sched_yield();
        atomic_store_explicit(&handed, s, memory_order_release);
        pthread_rwlock_unlock(&s->rwlock);
        pthread_mutex_lock(&s->mutex);
        s->ready = 1;
        pthread_cond_signal(&s->cond);
        pthread_mutex_unlock(&s->mutex);
        sem_post(&s->done);
    }
    pthread_join(t, NULL);
    puts("all gone");
}

HARMLESS({ "robust", robust }, { "robust-process", robust_process }, { "shared", shared }, { "contention", contention },
         { "protect", protect }, { "preference", preference }, { "clocks", clocks }, { "gone", gone })
