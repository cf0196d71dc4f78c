/*
 * work THREADS ROUNDS: threads that write, lock and wait so that each round leaves some events; prints what they counted
 * and ends with status 3.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long rounds, total;
static int null;

static void *work(void *unused)
{
    for (long i = 0; i < rounds; i++) {
        if (write(null, "x", 1) != 1)
            abort();
        pthread_mutex_lock(&lock);
        total++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 2;
    pthread_t threads[64];

    rounds = argc > 2 ? atol(argv[2]) : 1000;
    null = open("/dev/null", O_WRONLY);
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 4;
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%ld\n", total);
    return 3;
}
