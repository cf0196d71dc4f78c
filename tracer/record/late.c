/* A short list of threads by their numbers, and the slice of each. */
#include "record/late.h"

#include "record/arena.h"
#include "record/sandbox.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/thread.h"

enum { LATE_MAX = 64 };

/* Relaxed: a thread has its place to itself while it lives, and the kernel says when it does not, which orders what it has done before. */
static struct {
    _Atomic uint32_t tid;               /* 0: free */
    _Atomic uint32_t unit;              /* + 1 */
    _Atomic uint64_t batch;             /* that begins there; another one: it is somebody else's by now */
} late[LATE_MAX];

static bool lives(uint32_t tid)
{
    return ct_sandbox_forbids(SYS_tgkill) || ct_syscall(SYS_tgkill, ct_syscall(SYS_getpid), tid, 0) == 0;
}

static void seal(struct ct_arena *a, uint32_t unit, uint64_t batch)
{
    uint32_t entry = atomic_load_explicit(&ct_arena_directory(a)[unit], memory_order_acquire);     /* edge OPEN */

    if ((entry & CT_SLICE_STATE_MASK) == CT_SLICE_ACTIVE && ct_arena_batch(a, unit)->batch == batch)
        atomic_store_explicit(&ct_arena_directory(a)[unit], (entry & ~(uint32_t)CT_SLICE_STATE_MASK) | CT_SLICE_SEALED,
                              memory_order_release);    /* edge SEAL */
}

/* The place's owner gets another slice; what is still there was sealed by it, or is the last one of a thread that is no more. */
static bool enter(unsigned i, bool sealed)
{
    uint32_t unit = atomic_exchange_explicit(&late[i].unit, 0, memory_order_relaxed);

    if (unit && !sealed)
        seal(ct_arena, unit - 1, atomic_load_explicit(&late[i].batch, memory_order_relaxed));
    return true;
}

bool ct_late_admit(void)
{
    uint32_t tid = ct_thread_tid_now();

    for (unsigned i = 0; i < LATE_MAX; i++)
        if (atomic_load_explicit(&late[i].tid, memory_order_relaxed) == tid)
            return enter(i, ct_self.writer[0].head != NULL);    /* else it was another's of the same number */
    for (unsigned i = 0; i < LATE_MAX; i++) {
        uint32_t was = atomic_load_explicit(&late[i].tid, memory_order_relaxed);

        if ((!was || !lives(was)) &&
            atomic_compare_exchange_strong_explicit(&late[i].tid, &was, tid, memory_order_relaxed, memory_order_relaxed))
            return enter(i, false);
    }
    return false;
}

void ct_late_took(uint32_t unit)
{
    uint32_t tid = ct_thread_tid_now();

    for (uint32_t i = 0; i < LATE_MAX; i++) {
        if (atomic_load_explicit(&late[i].tid, memory_order_relaxed) != tid)
            continue;
        atomic_store_explicit(&late[i].batch, ct_arena_batch(ct_arena, unit)->batch, memory_order_relaxed);
        atomic_store_explicit(&late[i].unit, unit + 1, memory_order_relaxed);
        return;
    }
}

void ct_late_forget(void)
{
    for (uint32_t i = 0; i < LATE_MAX; i++) {
        atomic_store_explicit(&late[i].tid, 0, memory_order_relaxed);
        atomic_store_explicit(&late[i].unit, 0, memory_order_relaxed);
    }
}
