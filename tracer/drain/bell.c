/* Waiting for many futexes at once, so that a descriptor can be polled instead. */
#include "drain/bell.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drain/fault.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
struct futex_waitv { uint64_t val, uaddr; uint32_t flags, __reserved; };
#define FUTEX_32 2
#endif

/* Rings closer together than this are one: a drainer that spins slows the writers down. */
static const struct timespec breath = { 0, 500000 };

static void watch(struct futex_waitv *w, const _Atomic uint32_t *word)
{
    *w = (struct futex_waitv){
        .val = atomic_load_explicit(word, memory_order_relaxed),    /* only compared by the kernel */
        .uaddr = (uintptr_t)word,
        .flags = FUTEX_32,
    };
}

struct look {
    struct ct_arena *arena;
    struct futex_waitv *w;          /* NULL: do not wait, only say that nobody does */
};

static void look_at(void *context)
{
    struct look *look = context;

    atomic_store_explicit(&look->arena->bell_waiters, look->w != NULL, memory_order_relaxed);
    if (look->w)
        watch(look->w, &look->arena->bell);
}

/* Under the lock.  A program may have cut its arena short: such a one is not waited for. */
static unsigned look_at_all(struct ct_bell *b, struct futex_waitv *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->count; i++) {
        struct look look = { b->arena[i], w ? &w[n] : NULL };

        n += ct_fault_guard(look.arena, sizeof *look.arena, look_at, &look);
    }
    return n;
}

/*
 * Waits for one of the bells; returns false when it is time to end.  An arena may be unmapped while we sleep: its
 * removal changes `changed`, and a futex that is not there only fails.
 */
static bool wait_for_bells(struct ct_bell *b, bool *ret_rung)
{
    struct futex_waitv w[CT_BELL_ARENAS + 1];
    unsigned n;
    bool stop;
    long r;

    pthread_mutex_lock(&b->lock);
    watch(&w[0], &b->changed);
    n = 1 + look_at_all(b, w + 1);
    stop = b->stop;
    pthread_mutex_unlock(&b->lock);
    if (stop)
        return false;
    r = syscall(SYS_futex_waitv, w, n, 0, NULL, 0);
    *ret_rung = r > 0 || (r < 0 && errno == EAGAIN);
    if (r < 0 && errno != EAGAIN && errno != EINTR)
        nanosleep(&breath, NULL);       /* an arena that was unmapped meanwhile */
    return true;
}

/* While the drainer is about to look anyway, writers need not ring. */
static void hush(struct ct_bell *b)
{
    pthread_mutex_lock(&b->lock);
    look_at_all(b, NULL);
    pthread_mutex_unlock(&b->lock);
    nanosleep(&breath, NULL);
}

static void *run(void *context)
{
    struct ct_bell *b = context;
    bool rung = false;
    uint64_t one = 1;

    while (wait_for_bells(b, &rung))
        if (rung) {
            if (write(b->fd, &one, sizeof one) < 0)
                return NULL;
            hush(b);
        }
    return NULL;
}

int ct_bell_init(struct ct_bell *b)
{
    int r;

    *b = (struct ct_bell){ .fd = -1 };
    if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno == ENOSYS)
        return -ENOSYS;
    b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->fd < 0)
        return -errno;
    pthread_mutex_init(&b->lock, NULL);
    r = pthread_create(&b->thread, NULL, run, b);
    if (r) {
        pthread_mutex_destroy(&b->lock);
        close(b->fd);
        return -r;
    }
    return 0;
}

static void change(struct ct_bell *b)
{
    atomic_fetch_add_explicit(&b->changed, 1, memory_order_relaxed);
    syscall(SYS_futex, &b->changed, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void ct_bell_fini(struct ct_bell *b)
{
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_mutex_unlock(&b->lock);
    change(b);
    pthread_join(b->thread, NULL);
    pthread_mutex_destroy(&b->lock);
    close(b->fd);
}

void ct_bell_add(struct ct_bell *b, struct ct_arena *arena)
{
    pthread_mutex_lock(&b->lock);
    if (b->count < CT_BELL_ARENAS)
        b->arena[b->count++] = arena;
    pthread_mutex_unlock(&b->lock);
    change(b);
}

void ct_bell_remove(struct ct_bell *b, struct ct_arena *arena)
{
    pthread_mutex_lock(&b->lock);
    for (unsigned i = 0; i < b->count; i++)
        if (b->arena[i] == arena) {
            b->arena[i] = b->arena[--b->count];
            break;
        }
    pthread_mutex_unlock(&b->lock);
    change(b);
}
