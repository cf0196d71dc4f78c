/* A library whose constructor allocates, locks and makes a thread before any constructor of ours. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *early_block, *early_zeroes;
int early_threads, early_tells;

static void *count(void *unused)
{
    free(malloc(1000));
    (void)!write(-1, "", 0);
    early_threads++;
    return unused;
}

/* Registered before any handler of ours, so it comes after them; one by atexit() would be called as soon as the library is left. */
static void end(int status, void *unused)
{
    if (early_tells)
        (void)!write(1, "the first to be registered ends\n", 32);
}

static __attribute__((constructor)) void begin(void)
{
    pthread_t t;

    on_exit(end, NULL);
    early_block = malloc(1 << 20);
    memset(early_block, 9, 1 << 20);
    early_block = realloc(early_block, 2 << 20);
    early_zeroes = calloc(1 << 10, 1 << 10);
    for (int i = 0; i < 100; i++)
        free(malloc((size_t)i * 1000));
    if (pthread_create(&t, NULL, count, NULL) == 0)
        pthread_join(t, NULL);
}
