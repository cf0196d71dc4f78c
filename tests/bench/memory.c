/* memory.thread: resident memory of a thread that has recorded something and waits, without its slices; alone or under `ctrace record`. */
#include "bench.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

enum { THREADS = 200 };

static pthread_barrier_t all;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int pipes[2];

/* A little of everything that leaves an event: a lock, a sleep, a read. */
static void *work(void *unused)
{
    struct timespec t = { 0, 1000000 };
    char byte;

    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&mutex);
        nanosleep(&t, NULL);
        pthread_mutex_unlock(&mutex);
        if (read(pipes[0], &byte, 1) != 1)
            abort();
    }
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&all);
    return unused;
}

/* Without that of the arena, where slices are. */
static double resident_kib(void)
{
    char line[4096];
    unsigned long from, to;
    bool counts = false;
    double kib = 0;
    FILE *file = fopen("/proc/self/smaps", "r");

    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "Rss:", 4) == 0 && counts)
            kib += atof(line + 4);
        else if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            counts = !strstr(line, "/ctrace-");
    }
    if (file)
        fclose(file);
    return kib;
}

int main(int argc, char **argv)
{
    static char bytes[THREADS * 5];
    pthread_t threads[THREADS];
    double before;

    if (argc != 2 || pipe(pipes) < 0 || write(pipes[1], bytes, sizeof bytes) != sizeof bytes)
        return 2;
    pthread_barrier_init(&all, NULL, THREADS + 1);
    before = resident_kib();
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    pthread_barrier_wait(&all);
    bench_print(argv[1], (resident_kib() - before) / THREADS, "KiB");
    pthread_barrier_wait(&all);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
