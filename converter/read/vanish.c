/* A SIGBUS handler that puts memory where a file has lost its own, and passes on what is not ours. */
#include "converter/read/vanish.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

/* A family of traces may have thousands of files, all open at a time. */
enum { WATCHED_MAX = 1 << 14 };

static struct watched {
    _Atomic uintptr_t from;         /* 0: free; set last */
    _Atomic size_t size;
    _Atomic uint64_t missing;
} watched[WATCHED_MAX];
static _Atomic unsigned watched_end;            /* slots from here on were never used */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;                 /* whoever was there first */
static long page = 4096;
static bool leave_handlers;

static struct watched *find(uintptr_t at)
{
    unsigned end = atomic_load_explicit(&watched_end, memory_order_acquire);

    for (unsigned i = 0; i < end; i++) {
        uintptr_t from = atomic_load_explicit(&watched[i].from, memory_order_acquire);

        if (from && at >= from && at - from < atomic_load_explicit(&watched[i].size, memory_order_relaxed))
            return &watched[i];
    }
    return NULL;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)(page - 1);
    struct watched *w = find((uintptr_t)info->si_addr);
    uint64_t offset, known;

    if (w && mmap((void *)at, (size_t)page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
        offset = at - atomic_load_explicit(&w->from, memory_order_relaxed);
        known = atomic_load_explicit(&w->missing, memory_order_relaxed);
        while (offset < known && !atomic_compare_exchange_weak_explicit(&w->missing, &known, offset, memory_order_relaxed,
                                                                        memory_order_relaxed))
            ;
        return;
    }
    if (before.sa_flags & SA_SIGINFO && before.sa_sigaction)
        before.sa_sigaction(number, info, context);
    else
        signal(number, SIG_DFL);            /* it happens again and ends us */
}

void ct_vanish_leave(void)
{
    leave_handlers = true;
}

/* Others may have put their handler in ours' place since: then it becomes the one behind. */
static void install(void)
{
    struct sigaction mine = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER }, now;

    page = sysconf(_SC_PAGESIZE);
    if (sigaction(SIGBUS, NULL, &now) < 0 || (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_bus_error))
        return;
    before = now;
    sigaction(SIGBUS, &mine, NULL);
}

bool ct_vanish_watch(const void *at, size_t size)
{
    unsigned i = 0, end;

    if (leave_handlers)
        return false;
    pthread_mutex_lock(&lock);
    install();
    end = atomic_load_explicit(&watched_end, memory_order_relaxed);
    while (i < end && atomic_load_explicit(&watched[i].from, memory_order_relaxed))
        i++;
    if (i < WATCHED_MAX) {
        atomic_store_explicit(&watched[i].size, size, memory_order_relaxed);
        atomic_store_explicit(&watched[i].missing, UINT64_MAX, memory_order_relaxed);
        atomic_store_explicit(&watched[i].from, (uintptr_t)at, memory_order_release);
        if (i == end)
            atomic_store_explicit(&watched_end, end + 1, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return i < WATCHED_MAX;
}

void ct_vanish_forget(const void *at)
{
    struct watched *w = find((uintptr_t)at);

    if (w)
        atomic_store_explicit(&w->from, 0, memory_order_release);
}

uint64_t ct_vanish_at(const void *at)
{
    const struct watched *w = find((uintptr_t)at);

    return w ? atomic_load_explicit(&w->missing, memory_order_relaxed) : UINT64_MAX;
}
