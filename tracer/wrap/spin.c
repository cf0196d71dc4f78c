/* Locks that are waited for without sleeping, and what must be done once before anybody goes on. */
#include <stdatomic.h>

#include "wrap/called.h"
#include "wrap/real.h"

/* A lock that is free leaves no event; one that was waited for leaves the time for which its thread was busy. */
static __attribute__((noinline)) int spin(pthread_spinlock_t *lock)
{
    return CT_CALLED(pthread_spin_lock, -1, ct_real.pthread_spin_lock(lock),
                     ct_called_lock(CT_CALL_pthread_spin_lock, (int64_t)(uintptr_t)lock, ct_start, -(int64_t)ct_result));
}

CT_JUMPS int ct_seen_pthread_spin_lock(pthread_spinlock_t *lock)
{
    return __builtin_expect(ct_real.pthread_spin_trylock(lock) == 0, 1) ? 0 : spin(lock);
}

/* glibc's flag; where it means something else every call is timed, and no more. */
enum { ONCE_DONE = 2 };

static bool is_done(const int *once)
{
    return __atomic_load_n(once, __ATOMIC_RELAXED) & ONCE_DONE;
}

/* Whoever comes first runs the routine, whoever comes meanwhile waits: both take that time. */
static __attribute__((noinline)) int do_once(pthread_once_t *once, void (*routine)(void))
{
    return CT_CALLED(pthread_once, -1, ct_real.pthread_once(once, routine),
                     ct_called_lock(CT_CALL_pthread_once, (int64_t)(uintptr_t)once, ct_start, -(int64_t)ct_result));
}

CT_JUMPS int ct_seen_pthread_once(pthread_once_t *once, void (*routine)(void))
{
    return is_done(once) ? ct_real.pthread_once(once, routine) : do_once(once, routine);
}

static __attribute__((noinline)) int do_call_once(once_flag *once, void (*routine)(void))
{
    return CT_CALLED(pthread_once, -1, (ct_real.call_once(once, routine), 0),
                     ct_called_lock(CT_CALL_pthread_once, (int64_t)(uintptr_t)once, ct_start, ct_result));
}

void ct_seen_call_once(once_flag *once, void (*routine)(void))
{
    if (is_done((const int *)(const void *)once))
        ct_real.call_once(once, routine);
    else
        do_call_once(once, routine);
}
