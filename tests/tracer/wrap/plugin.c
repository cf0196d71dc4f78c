/* A module whose constructor makes a thread and waits for it, as plugins with a pool of workers do. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int plugin_work(int n);

/* Calls that nothing has called before are looked up now, while the loader's lock is held by who waits for us. */
static void *first_calls(void *unused)
{
    struct iovec v = { (char[1]){ 0 }, 1 };
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    sem_t sem;

    sem_init(&sem, 0, 1);
    sem_wait(&sem);
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_unlock(&lock);
    readv(-1, &v, 1);
    ppoll(NULL, 0, &(struct timespec){ 0, 0 }, NULL);
    usleep(1000);
    free(reallocarray(NULL, 3, 1000));
    return NULL;
}

static __attribute__((constructor)) void begin(void)
{
    pthread_t t;

    pthread_create(&t, NULL, first_calls, NULL);
    pthread_join(t, NULL);
}

/* Two plugins are alike but for the size of this frame: code that lies where the other's lay, and is unwound by other rules. */
#ifndef ROOM
#define ROOM 300
#endif

int plugin_work(int n)
{
    volatile char room[ROOM];

    for (int i = 0; i < ROOM; i++)
        room[i] = 0;
    nanosleep(&(struct timespec){ 0, 100000 }, NULL);
    free(malloc((size_t)n * 1000));
    return n + 1 + room[ROOM - 1];
}
