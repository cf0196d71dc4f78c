/* Trying out how libc takes a free mutex. */
#include "wrap/free_mutex.h"

#include <stdint.h>
#include <string.h>

#include "record/syscall.h"
#include "record/tap.h"
#include "wrap/real.h"

_Atomic ptrdiff_t ct_free_mutex_tid;

enum { UNTRIED, KNOWN, OTHER, LTTNGS, STRANGE };
static _Atomic int tried;               /* who comes at the same time finds the same */

/*
 * Where a thread's tid lies is what libc tells debuggers (libthread_db): a field's bits, how many
 * there are, its offset in what pthread_self() points to.  It is the word that libc's own lock
 * copies, and so right after a fork too.
 */
static bool find_tid(ptrdiff_t *ret)
{
    const uint32_t *field = ct_real_symbol("_thread_db_pthread_tid");
    const char *self = (const char *)pthread_self();

    if (!field || field[0] != 32 || field[1] != 1 || field[2] > 4096)
        return false;
    *ret = self + field[2] - (const char *)__builtin_thread_pointer();
    return *(const pid_t *)(self + field[2]) == ct_syscall(SYS_gettid);
}

static bool all_zero(const pthread_mutex_t *m)
{
    static const pthread_mutex_t zero;

    return memcmp(m, &zero, sizeof zero) == 0;
}

/* As one thread of several leaves it: a lock that is held and that nobody waits for. */
static bool is_held(const pthread_mutex_t *m, pid_t tid)
{
    pthread_mutex_t held;

    memset(&held, 0, sizeof held);
    held.__data.__lock = 1;
    held.__data.__owner = tid;
    held.__data.__nusers = 1;
    return memcmp(m, &held, sizeof held) == 0;
}

/* What libc does, then what it makes of what we do.  A mutex on the stack: a handler may be here at the same time. */
static bool try_out(void)
{
    pid_t tid = (pid_t)ct_syscall(SYS_gettid);
    pthread_mutex_t m;

    memset(&m, 0, sizeof m);
    return ct_real.pthread_mutex_lock(&m) == 0 && is_held(&m, tid) &&
           ct_real.pthread_mutex_unlock(&m) == 0 && all_zero(&m) &&
           ct_real.pthread_mutex_trylock(&m) == 0 && is_held(&m, tid) &&
           ct_free_mutex_take(&m) == EBUSY && is_held(&m, tid) &&
           ct_real.pthread_mutex_unlock(&m) == 0 && all_zero(&m) &&
           ct_free_mutex_take(&m) == 0 && is_held(&m, tid) &&
           ct_real.pthread_mutex_trylock(&m) == EBUSY && is_held(&m, tid) &&
           ct_real.pthread_mutex_unlock(&m) == 0 && all_zero(&m);
}

/* Of LTTng's wrapper it is known that libc's functions are behind it. */
static int whose(const char *name)
{
    const void *code = ct_real_symbol(name);

    return code && ct_real_in_libc(code) ? KNOWN : code && ct_tap_is_lttngs(code) ? LTTNGS : STRANGE;
}

/* Who takes mutexes decides what is in them; unlocks may be another's all the same. */
static int find_out(void)
{
    int lock = whose("pthread_mutex_lock"), trylock = whose("pthread_mutex_trylock"), unlock = whose("pthread_mutex_unlock");
    ptrdiff_t tid;
    bool found = find_tid(&tid);

    if (found)
        atomic_store_explicit(&ct_free_mutex_tid, tid, memory_order_relaxed);
    if (lock != KNOWN || trylock != KNOWN)
        return lock == STRANGE || trylock == STRANGE ? STRANGE : LTTNGS;
    return unlock == KNOWN && found && try_out() ? KNOWN : OTHER;
}

static int what_is_known(void)
{
    int now = atomic_load_explicit(&tried, memory_order_relaxed);

    if (now == UNTRIED) {
        now = find_out();
        atomic_store_explicit(&tried, now, memory_order_relaxed);
    }
    return now;
}

bool ct_free_mutex_known(void)
{
    return what_is_known() == KNOWN;
}

bool ct_free_mutex_foreign(void)
{
    return what_is_known() >= LTTNGS;
}

bool ct_free_mutex_strange(void)
{
    return what_is_known() == STRANGE;
}
