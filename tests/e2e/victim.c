/*
 * What tests/e2e/kill.py kills: two threads that count, and say in a file that survives them how far they came.
 *
 *   victim PROGRESS [TRACE]     with TRACE it starts the trace itself
 */
#include <ctrace.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 2, STEPS = 1 << 20 };

/* As kill.py reads it: when each event had been emitted, by CLOCK_MONOTONIC in ns. */
struct progress {
    _Atomic uint64_t pid;
    _Atomic uint64_t emitted[THREADS];
    uint64_t when[THREADS][STEPS];
};

static struct progress *progress;
static const char *const names[THREADS] = { "slow", "bursts" };

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *count(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;

    for (uint64_t i = 0; i < STEPS; i++) {
        struct timespec apart = { 0, self == 0 ? 50000 : 2000000 };

        trace_counter(names[self], (int64_t)i);
        progress->when[self][i] = now_ns();
        atomic_store_explicit(&progress->emitted[self], i + 1, memory_order_release);
        if (self == 0 || i % 100 == 99)
            nanosleep(&apart, NULL);
    }
    pause();
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int fd, r;

    if (argc < 2)
        return 2;
    fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*progress)) < 0)
        return 2;
    progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (progress == MAP_FAILED)
        return 2;
    close(fd);
    if (argc > 2) {
        r = trace_start(argv[2]);
        if (r < 0) {
            fprintf(stderr, "trace_start: %s\n", strerror(-r));
            return 3;
        }
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count, (void *)i);
    progress->pid = (uint64_t)getpid();
    pause();
    return 0;
}
