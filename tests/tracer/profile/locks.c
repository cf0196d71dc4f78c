/*
 * A program that waits for known times.  tests/e2e/truth_locks.py runs it.
 *
 *   locks mutex ROUNDS      three threads on one mutex, which hold it for 5, 10 and 20 ms in turn
 *   locks rwlock ROUNDS     the same with a read-write lock: `third` reads, the others write
 *   locks storm ROUNDS      three threads that hold a mutex for 50 us and ask for it again at once
 *   locks idle ROUNDS       two workers wait for work, one on a condition variable, one on a semaphore, each far longer
 *                           than two others wait for a mutex
 *
 * Prints "block FUNCTION NS", by the clock around each call that locks or waits, and "mutex FUNCTION NS": what all others
 * waited in the turns of that function.  Its turn lasts from the unlock before to its own.  "doubt FUNCTION NS" is how much of
 * that could be the next one's: an unlock was at some time between the clock before it and the one after it, or after the next lock.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3, MOST = 20000 };

struct span {
    int64_t from, to;
};

static struct actor {
    const char *name;
    struct span waits[MOST], unlocks[MOST];
    unsigned wait_count, unlock_count;
} actors[THREADS];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t start;
static const char *what;
static unsigned rounds;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void busy(int64_t ns)
{
    int64_t end = now_ns() + ns;

    while (now_ns() < end)
        ;
}

/* --- three on one lock --- */

static void waited(struct actor *a, int64_t from)
{
    a->waits[a->wait_count++] = (struct span){ from, now_ns() };
}

static void unlocks(struct actor *a)
{
    a->unlocks[a->unlock_count].from = now_ns();
}

static void unlocked(struct actor *a)
{
    a->unlocks[a->unlock_count++].to = now_ns();
}

/* A thread's function, its lock and unlock calls in it. */
#define ACTOR(number, function, hold_ms, rwlock_lock) \
    __attribute__((noinline)) static void *function(void *unused) \
    { \
        struct actor *a = &actors[number]; \
        bool rw = strcmp(what, "rwlock") == 0, storm = strcmp(what, "storm") == 0; \
        a->name = #function; \
        pthread_barrier_wait(&start); \
        for (unsigned i = 0; i < rounds; i++) { \
            int64_t from = now_ns(); \
            rw ? rwlock_lock(&rwlock) : pthread_mutex_lock(&mutex); \
            waited(a, from); \
            storm ? busy(50000) : (void)usleep((hold_ms) * 1000); \
            unlocks(a); \
            rw ? pthread_rwlock_unlock(&rwlock) : pthread_mutex_unlock(&mutex); \
            unlocked(a); \
            if (!storm) \
                usleep(500); \
        } \
        return unused; \
    }
ACTOR(0, first, 5, pthread_rwlock_wrlock)
ACTOR(1, second, 10, pthread_rwlock_wrlock)
ACTOR(2, third, 20, pthread_rwlock_rdlock)

struct unlock {
    struct span at;
    struct actor *by;
};

static int by_time(const void *a, const void *b)
{
    const struct unlock *x = a, *y = b;

    return (x->at.from > y->at.from) - (x->at.from < y->at.from);
}

static int by_end(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return (x->to > y->to) - (x->to < y->to);
}

/* Who has the lock has it after the unlock before. */
static void end_unlocks(struct unlock *all, unsigned count)
{
    static struct span waits[THREADS * MOST];
    unsigned next = 0, wait_count = 0;

    for (struct actor *a = actors; a < actors + THREADS; a++)
        for (unsigned i = 0; i < a->wait_count; i++)
            waits[wait_count++] = a->waits[i];
    qsort(waits, wait_count, sizeof *waits, by_end);
    for (unsigned i = 0; i < count; i++) {
        while (next < wait_count && waits[next].to < all[i].at.from)
            next++;
        if (next < wait_count && waits[next].to < all[i].at.to)
            all[i].at.to = waits[next].to;
    }
}

/* None unless it was switched out there: by itself an unlock wakes somebody, at once. */
static int64_t doubt_of(const struct span *unlock, int64_t wait_end)
{
    int64_t ns = (unlock->to < wait_end ? unlock->to : wait_end) - unlock->from;

    return ns > 500000 ? ns : 0;
}

static void tell_turns(void)
{
    static struct unlock all[THREADS * MOST];
    int64_t caused[THREADS] = { 0 }, doubt[THREADS] = { 0 };
    unsigned count = 0;

    for (struct actor *a = actors; a < actors + THREADS; a++)
        for (unsigned i = 0; i < a->unlock_count; i++)
            all[count++] = (struct unlock){ a->unlocks[i], a };
    qsort(all, count, sizeof *all, by_time);
    if (strcmp(what, "rwlock") != 0)
        end_unlocks(all, count);
    for (struct actor *a = actors; a < actors + THREADS; a++) {
        int64_t sum = 0;

        for (unsigned i = 0, first = 0; i < a->wait_count; i++) {
            int64_t since = a->waits[i].from, to = a->waits[i].to;

            sum += to - since;
            while (first < count && all[first].at.from < since)
                first++;
            for (unsigned u = first; u < count && all[u].at.from < to; u++) {
                caused[all[u].by - actors] += all[u].at.from - since;
                since = all[u].at.from;
                doubt[all[u].by - actors] += doubt_of(&all[u].at, to);
            }
        }
        printf("block %s %lld\n", a->name, (long long)sum);
    }
    for (int i = 0; i < THREADS; i++)
        printf("mutex %s %lld\ndoubt %s %lld\n", actors[i].name, (long long)caused[i], actors[i].name, (long long)doubt[i]);
}

static void three(void)
{
    void *(*const routines[THREADS])(void *) = { first, second, third };
    pthread_t threads[THREADS];

    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    tell_turns();
}

/* --- idle beside contended --- */

static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER, shared = PTHREAD_MUTEX_INITIALIZER;
static sem_t items;
static unsigned queued;

__attribute__((noinline)) static void *idles(void *unused)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < rounds; i++) {
        pthread_mutex_lock(&queue);
        while (queued == 0) {
            int64_t from = now_ns();

            pthread_cond_wait(&work, &queue);
            sum += now_ns() - from;
        }
        queued--;
        pthread_mutex_unlock(&queue);
    }
    printf("block idles %lld\n", (long long)sum);
    return unused;
}

__attribute__((noinline)) static void *takes(void *unused)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < rounds; i++) {
        int64_t from = now_ns();

        sem_wait(&items);
        sum += now_ns() - from;
    }
    printf("block takes %lld\n", (long long)sum);
    return unused;
}

__attribute__((noinline)) static void *contends(void *unused)
{
    int64_t sum = 0;

    pthread_barrier_wait(&start);
    for (unsigned i = 0; i < rounds; i++) {
        int64_t from = now_ns();

        pthread_mutex_lock(&shared);
        sum += now_ns() - from;
        usleep(5000);
        pthread_mutex_unlock(&shared);
        usleep(500);
    }
    printf("block contends %lld\n", (long long)sum);
    return unused;
}

static void idle(void)
{
    void *(*const routines[])(void *) = { idles, takes, contends, contends };
    pthread_t threads[4];

    pthread_barrier_init(&start, NULL, 2);
    sem_init(&items, 0, 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    for (unsigned i = 0; i < rounds; i++) {
        usleep(30000);
        pthread_mutex_lock(&queue);
        queued++;
        pthread_cond_signal(&work);
        pthread_mutex_unlock(&queue);
        sem_post(&items);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    what = argc > 1 ? argv[1] : "";
    rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
    if (rounds > MOST)
        return 2;
    if (strcmp(what, "idle") == 0)
        idle();
    else
        three();
    return 0;
}
