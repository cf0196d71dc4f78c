/* Another library's mutexes, found behind the recorder, whose words mean other things than libc's: libc's lock would take each for held. */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

struct strange {
    uint32_t always, zero;          /* where libc has its lock and a count */
    uint32_t nobody, ones;          /* and here the owner and its users */
    uint32_t kind, more;
    _Atomic uint32_t state;         /* 0 free, 1 held, 2 held and waited for */
    uint32_t rest[3];
};
_Static_assert(sizeof(struct strange) == sizeof(pthread_mutex_t), "in its place");

/* What the program called, by itself. */
unsigned long strange_locks, strange_tries, strange_unlocks;

static struct strange *of(pthread_mutex_t *mutex)
{
    struct strange *s = (struct strange *)mutex;

    __atomic_store_n(&s->always, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&s->nobody, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&s->ones, 1, __ATOMIC_RELAXED);
    return s;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct strange *s = of(mutex);
    uint32_t free = 0;

    __atomic_fetch_add(&strange_locks, 1, __ATOMIC_RELAXED);
    if (atomic_compare_exchange_strong(&s->state, &free, 1))
        return 0;
    while (atomic_exchange(&s->state, 2) != 0)
        syscall(SYS_futex, &s->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
    return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    uint32_t free = 0;

    __atomic_fetch_add(&strange_tries, 1, __ATOMIC_RELAXED);
    return atomic_compare_exchange_strong(&of(mutex)->state, &free, 1) ? 0 : EBUSY;
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    return until->tv_sec >= 0 ? pthread_mutex_lock(mutex) : EINVAL;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct strange *s = of(mutex);

    __atomic_fetch_add(&strange_unlocks, 1, __ATOMIC_RELAXED);
    if (atomic_exchange(&s->state, 0) == 2)
        syscall(SYS_futex, &s->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return 0;
}
