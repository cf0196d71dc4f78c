/* Mutexes of another library, in whose words libc's functions would find what is not there (strange_mutex.c). */
#include <stdbool.h>
#include <stdint.h>

#include "cases.h"

extern unsigned long strange_locks, strange_tries, strange_unlocks;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void tell(void)
{
    uint32_t words[10];

    memcpy(words, &mutex, sizeof words);
    printf("locks %lu, tries %lu, unlocks %lu\n", strange_locks, strange_tries, strange_unlocks);
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        printf("%u%c", words[i], i + 1 < sizeof words / sizeof *words ? ' ' : '\n');
}

static void lock_in_turn(int times)
{
    struct timespec later = in_ms(CLOCK_REALTIME, 60000);

    for (int i = 0; i < times; i++) {
        SHOW(i % 2 ? pthread_mutex_lock(&mutex) : pthread_mutex_timedlock(&mutex, &later));
        SHOW(pthread_mutex_unlock(&mutex));
    }
    pthread_mutex_trylock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void *in_thread(void *times)
{
    lock_in_turn((int)(intptr_t)times);
    return NULL;
}

/* Nobody else wants it: no wait. */
static void free_ones(void)
{
    pthread_t t;

    lock_in_turn(20);
    pthread_create(&t, NULL, in_thread, (void *)20);
    pthread_join(t, NULL);
    lock_in_turn(20);
    tell();
}

/* Held for a while by one who begins before the other comes, so each lock is a wait. */
static void held_ones(void)
{
    for (int i = 0; i < 5; i++) {
        pthread_t t;

        pthread_mutex_lock(&mutex);
        pthread_create(&t, NULL, in_thread, (void *)1);
        pause_ms(20);
        pthread_mutex_unlock(&mutex);
        pthread_join(t, NULL);
    }
    tell();
}

CASES({ "free", free_ones }, { "held", held_ones })
