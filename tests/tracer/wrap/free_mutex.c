/*
 * A mutex that a recorded program locks holds what libc's own lock would have written, whoever unlocks it.
 *
 *   wrap-free-mutex TRACE
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctrace.h"

typedef int mutex_call(pthread_mutex_t *);
static mutex_call *libc_lock, *libc_trylock, *libc_unlock;
static const char *trace;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "free-mutex: %s:%d: %s\n", __func__, __LINE__, #condition); \
            _exit(1); \
        } \
    } while (0)

/* Kinds of mutexes, by what their attributes are made of. */
static const struct kind { int type, robust, protocol, shared; } kinds[] = {
    { PTHREAD_MUTEX_NORMAL, 0, 0, 0 }, { PTHREAD_MUTEX_RECURSIVE, 0, 0, 0 }, { PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0 },
    { PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0 }, { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0 },
    { PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0 }, { PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void make(pthread_mutex_t *ret, const struct kind *kind)
{
    pthread_mutexattr_t attr;

    memset(ret, 0, sizeof *ret);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, kind->type);
    pthread_mutexattr_setrobust(&attr, kind->robust);
    pthread_mutexattr_setprotocol(&attr, kind->protocol);
    pthread_mutexattr_setpshared(&attr, kind->shared);
    CHECK(pthread_mutex_init(ret, &attr) == 0);
}

static bool same(const pthread_mutex_t *a, const pthread_mutex_t *b)
{
    return a->__data.__lock == b->__data.__lock && a->__data.__count == b->__data.__count &&
           a->__data.__owner == b->__data.__owner && a->__data.__nusers == b->__data.__nusers &&
           a->__data.__kind == b->__data.__kind;
}

/* One is locked through the recorder and one by libc, then each is unlocked by the other. */
static void compare(void)
{
    for (int i = 0; i < KINDS; i++) {
        pthread_mutex_t seen, bare;

        make(&seen, &kinds[i]);
        make(&bare, &kinds[i]);
        for (int again = 0; again < 3; again++) {
            CHECK(pthread_mutex_lock(&seen) == 0 && libc_lock(&bare) == 0);
            CHECK(same(&seen, &bare));
            CHECK(seen.__data.__owner == gettid());
            CHECK(libc_trylock(&seen) == pthread_mutex_trylock(&bare));
            CHECK(same(&seen, &bare));
            while (seen.__data.__count > 1)
                CHECK(libc_unlock(&seen) == pthread_mutex_unlock(&bare));
            CHECK(kinds[i].robust || pthread_mutex_destroy(&seen) == EBUSY);
            CHECK(libc_unlock(&seen) == 0 && pthread_mutex_unlock(&bare) == 0);
            CHECK(same(&seen, &bare));
        }
        CHECK(pthread_mutex_destroy(&seen) == 0);
    }
}

static void *compare_in_thread(void *unused)
{
    compare();
    return unused;
}

/* What was locked before a fork is unlocked on both sides, and the child's own locks are its own. */
static void compare_in_child(void)
{
    pthread_mutex_t held;
    pid_t child;
    int status;

    make(&held, &kinds[0]);
    pthread_mutex_lock(&held);
    child = fork();
    if (child == 0) {
        CHECK(libc_trylock(&held) == EBUSY && pthread_mutex_unlock(&held) == 0);
        compare();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(pthread_mutex_unlock(&held) == 0 && pthread_mutex_destroy(&held) == 0);
}

static void compare_everywhere(void)
{
    pthread_t thread;

    compare();
    CHECK(pthread_create(&thread, NULL, compare_in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
    compare_in_child();
}

/* --- many threads at one mutex, by every way there is, while recordings begin and end --- */

enum { THREADS = 4 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static bool enough;
static unsigned long guarded;           /* by the mutex */

static bool lock_somehow(unsigned way)
{
    static const struct timespec past, future = { 1L << 33, 0 };

    switch (way % 8) {
    case 0: return libc_lock(&mutex) == 0;
    case 1: return pthread_mutex_trylock(&mutex) == 0;
    case 2: return pthread_mutex_timedlock(&mutex, &past) == 0;
    case 3: return pthread_mutex_timedlock(&mutex, &future) == 0;
    default: return pthread_mutex_lock(&mutex) == 0;
    }
}

static void *storm(void *mine)
{
    for (unsigned i = 0; !__atomic_load_n(&enough, __ATOMIC_RELAXED); i++) {
        static const struct timespec past;

        if (!lock_somehow(i))
            continue;
        CHECK(mutex.__data.__owner == gettid());
        guarded++;
        ++*(unsigned long *)mine;
        if (i % 16 == 5) {
            pthread_cond_timedwait(&cond, &mutex, &past);
            CHECK(mutex.__data.__owner == gettid());
        }
        CHECK((i % 3 ? pthread_mutex_unlock : libc_unlock)(&mutex) == 0);
    }
    return NULL;
}

static void begin(void)
{
    int r = trace_start(trace);

    if (r < 0) {
        fprintf(stderr, "free-mutex: trace_start: %s\n", strerror(-r));
        exit(1);
    }
}

static void storm_over_recordings(void)
{
    unsigned long counts[THREADS] = { 0 }, sum = 0;
    pthread_mutex_t before, during;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, storm, &counts[i]) == 0);
    for (int turn = 0; turn < 3; turn++) {
        make(&before, &kinds[0]);
        make(&during, &kinds[0]);
        CHECK(pthread_mutex_lock(&before) == 0);
        begin();
        CHECK(pthread_mutex_unlock(&before) == 0 && pthread_mutex_destroy(&before) == 0);
        CHECK(pthread_mutex_lock(&during) == 0);
        nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
        trace_stop();
        CHECK(pthread_mutex_unlock(&during) == 0 && pthread_mutex_destroy(&during) == 0);
    }
    __atomic_store_n(&enough, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        sum += counts[i];
    }
    CHECK(sum == guarded && sum != 0);
    CHECK(mutex.__data.__lock == 0 && mutex.__data.__nusers == 0 && mutex.__data.__owner == 0);
}

int main(int argc, char **argv)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    libc_lock = (mutex_call *)dlsym(libc, "pthread_mutex_lock");
    libc_trylock = (mutex_call *)dlsym(libc, "pthread_mutex_trylock");
    libc_unlock = (mutex_call *)dlsym(libc, "pthread_mutex_unlock");
    if (argc != 2 || libc_lock == pthread_mutex_lock) {
        fprintf(stderr, "free-mutex: the recorder is not loaded\n");
        return 1;
    }
    trace = argv[1];
    compare_everywhere();               /* there have been two threads from here on */
    begin();
    compare_everywhere();
    trace_stop();
    storm_over_recordings();
    compare_everywhere();
    return 0;
}
