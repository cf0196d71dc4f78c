/* mutex.contended: two threads on CPUs of their own take one mutex by turns as they get it; alone or under `ctrace record`. */
#include "bench.h"

#include <pthread.h>

enum { THREADS = 2, HELD = 50, PAIRS = 100000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static uint64_t sum;                    /* what the mutex guards */
static double spent[THREADS][BENCH_ROUNDS_MAX];
static unsigned rounds;

static void pin(unsigned number)
{
    cpu_set_t all, one;
    unsigned met = 0;

    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && met++ % THREADS == number)
            CPU_SET(cpu, &one);
    if (CPU_COUNT(&one))
        sched_setaffinity(0, sizeof one, &one);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *run(void *number)
{
    unsigned own = (unsigned)(uintptr_t)number;

    pin(own);
    for (unsigned r = 0; r < rounds; r++) {
        uint64_t began;

        pthread_barrier_wait(&barrier);
        began = cpu_ns();
        for (unsigned i = 0; i < PAIRS; i++) {
            pthread_mutex_lock(&mutex);
            for (unsigned k = 0; k < HELD; k++)
                asm volatile("" : "+r"(sum));
            sum++;
            pthread_mutex_unlock(&mutex);
        }
        spent[own][r] = (double)(cpu_ns() - began) / PAIRS;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct bench pair;
    pthread_t threads[THREADS];

    if (argc != 2)
        return 2;
    rounds = (unsigned)bench_setting("BENCH_ROUNDS", 41);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
            return 1;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned r = 0; r < rounds; r++)
        pair.ns[r] = (spent[0][r] + spent[1][r]) / THREADS;
    bench_print(argv[1], bench_median(pair.ns, rounds), "ns");
    return sum != (uint64_t)THREADS * rounds * PAIRS;
}
