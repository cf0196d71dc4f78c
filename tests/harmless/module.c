/* A module to be opened and closed: it allocates, waits, and has thread-local data of its own. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

void *module_work(int n);
int *module_local(void);

static __thread int local = 7;
static __thread char much[2000];

void *module_work(int n)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int *block = malloc(sizeof *block * 1000);

    pthread_mutex_lock(&lock);
    poll(NULL, 0, 0);
    *block = n + local - 6;
    pthread_mutex_unlock(&lock);
    much[n % 2000] = 1;
    return block;
}

int *module_local(void)
{
    return &local;
}
