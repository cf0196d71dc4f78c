/* Somebody else's preloaded library, which stands where we stand and finds the next by the means that everybody has. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned long writes, unlocks, blocks;

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*next)(int, const void *, size_t);

    if (!next)
        next = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    __atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
    return next(fd, bytes, count);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
    static int (*next)(pthread_mutex_t *);

    if (!next)
        next = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_unlock");
    __atomic_fetch_add(&unlocks, 1, __ATOMIC_RELAXED);
    return next(m);
}

void *malloc(size_t size)
{
    static void *(*next)(size_t);

    if (!next)
        next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    __atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
    return next(size);
}

/* Preloaded into ctrace itself as well, where it is not asked. */
static __attribute__((destructor)) void tell(void)
{
    if (strncmp(program_invocation_short_name, "harmless-", 9) != 0)
        return;
    dprintf(1, "interposed: %d %d %d\n", writes > 0, unlocks > 0, blocks > 0);
}
