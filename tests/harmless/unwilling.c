/* Waits that are no points of cancellation: who is cancelled meanwhile goes on until what it waits for is there. */
#include "harmless.h"

#include <linux/futex.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <threads.h>

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static mtx_t c11_held;
static int semaphores, locks[2], word;
static FILE *locked_stream;
static struct timespec later;
static sem_t begun;

/* A child that lives for a moment, and whose stream is closed meanwhile. */
static int close_pipe(void)
{
    return pclose(popen("exec sleep 0.03", "r"));
}

/* The first of two for an initial step; the second waits for it to end. */
static pthread_once_t once;
static sem_t in_step, step_ends;

static void step(void)
{
    sem_post(&in_step);
    sem_wait(&step_ends);
}

static void *step_first(void *unused)
{
    pthread_once(&once, step);
    return unused;
}

static void begin_step(void)
{
    static const pthread_once_t fresh = PTHREAD_ONCE_INIT;
    pthread_t t;

    once = fresh;
    pthread_create(&t, NULL, step_first, NULL);
    pthread_detach(t);
    sem_wait(&in_step);
}

/* What is waited for, how it is had by the one who is waited for, and how it is let go. */
#define MUTEX(X, name, call) \
    X(name, (call, pthread_mutex_unlock(&held)), pthread_mutex_lock(&held), pthread_mutex_unlock(&held))
#define RWLOCK(X, name, call) \
    X(name, (call, pthread_rwlock_unlock(&rwlock)), pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
#define C11(X, name, call) X(name, (call, mtx_unlock(&c11_held)), mtx_lock(&c11_held), mtx_unlock(&c11_held))
#define STEP(n) (&(struct sembuf){ 0, n, 0 })
#define WAITS(X) \
    MUTEX(X, mutex_lock, pthread_mutex_lock(&held)) MUTEX(X, mutex_timedlock, pthread_mutex_timedlock(&held, &later)) \
    MUTEX(X, mutex_clocklock, pthread_mutex_clocklock(&held, CLOCK_REALTIME, &later)) \
    RWLOCK(X, rdlock, pthread_rwlock_rdlock(&rwlock)) RWLOCK(X, wrlock, pthread_rwlock_wrlock(&rwlock)) \
    RWLOCK(X, timedrdlock, pthread_rwlock_timedrdlock(&rwlock, &later)) RWLOCK(X, timedwrlock, pthread_rwlock_timedwrlock(&rwlock, &later)) \
    RWLOCK(X, clockrdlock, pthread_rwlock_clockrdlock(&rwlock, CLOCK_REALTIME, &later)) \
    RWLOCK(X, clockwrlock, pthread_rwlock_clockwrlock(&rwlock, CLOCK_REALTIME, &later)) \
    C11(X, mtx_lock, mtx_lock(&c11_held)) C11(X, mtx_timedlock, mtx_timedlock(&c11_held, &later)) \
    X(barrier_wait, pthread_barrier_wait(&barrier), 0, pthread_barrier_wait(&barrier)) \
    X(semop, semop(semaphores, STEP(-1), 1), 0, semop(semaphores, STEP(1), 1)) \
    X(semtimedop, semtimedop(semaphores, STEP(-1), 1, &(struct timespec){ 3600, 0 }), 0, semop(semaphores, STEP(1), 1)) \
    X(flock, (flock(locks[1], LOCK_EX), flock(locks[1], LOCK_UN)), flock(locks[0], LOCK_EX), flock(locks[0], LOCK_UN)) \
    X(spin_lock, (pthread_spin_lock(&spin), pthread_spin_unlock(&spin)), pthread_spin_lock(&spin), pthread_spin_unlock(&spin)) \
    X(once, pthread_once(&once, step), (begin_step(), 0), sem_post(&step_ends)) \
    X(flockfile, (flockfile(locked_stream), funlockfile(locked_stream), 0), (flockfile(locked_stream), 0), (funlockfile(locked_stream), 0)) \
    X(futex, syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL), 0, syscall(SYS_futex, &word, FUTEX_WAKE, 1)) X(pclose, close_pipe(), 0, 0)
#define WAIT(name, call, have, let_go) \
    static void do_##name(void) { (void)!(call); } \
    static void have_##name(void) { (void)!(have); } \
    static void let_##name(void) { (void)!(let_go); }
WAITS(WAIT)

struct row { const char *name; void (*run)(void), (*have)(void), (*let_go)(void); };
#define ROW(name, call, ...) { #name, do_##name, have_##name, let_##name },
static const struct row waits[] = { WAITS(ROW) };

static void prepare(void)
{
    char name[] = "/tmp/harmless-XXXXXX";

    pthread_barrier_init(&barrier, NULL, 2);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    mtx_init(&c11_held, mtx_timed);
    sem_init(&begun, 0, 0);
    sem_init(&in_step, 0, 0);
    sem_init(&step_ends, 0, 0);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    locks[0] = mkostemp(name, O_CLOEXEC);
    locks[1] = open(name, O_RDWR | O_CLOEXEC);
    unlink(name);
    locked_stream = fdopen(dup(locks[0]), "w");
    later = in_ms(CLOCK_REALTIME, 3600000);
}

static void *wait_on(void *row)
{
    sem_post(&begun);
    ((const struct row *)row)->run();
    printf("%s: came through\n", ((const struct row *)row)->name);
    pthread_testcancel();
    return NULL;
}

static void unwilling(void)
{
    prepare();
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        void *result;
        pthread_t t;

        waits[i].have();
        pthread_create(&t, NULL, wait_on, (void *)&waits[i]);
        sem_wait(&begun);
        pause_ms(4);
        pthread_cancel(t);
        pause_ms(2);
        waits[i].let_go();
        pthread_join(t, &result);
        printf("%s: %s\n", waits[i].name, result == PTHREAD_CANCELED ? "cancelled" : "ended");
    }
    semctl(semaphores, 0, IPC_RMID);
}

HARMLESS({ "unwilling", unwilling })
