/* A short list of thread numbers; who does not fit is seen, and no harm done. */
#include "record/hidden.h"

#include <linux/futex.h>

#include "record/sandbox.h"
#include "record/syscall.h"
#include "record/thread.h"

enum { HIDDEN_MAX = 64 };

static _Atomic uint32_t tids[HIDDEN_MAX];       /* relaxed: a number is all there is to each; 0: free */
static _Atomic uint32_t count;                  /* relaxed: that were ever in use at a time, to look no further */

/* Where that cannot be asked, as if. */
static bool lives(uint32_t tid)
{
    return ct_sandbox_forbids(SYS_tgkill) || ct_syscall(SYS_tgkill, ct_syscall(SYS_getpid), tid, 0) == 0;
}

static void add(uint32_t tid)
{
    for (uint32_t i = 0; i < HIDDEN_MAX; i++) {
        uint32_t now = atomic_load_explicit(&count, memory_order_relaxed);
        uint32_t was = atomic_load_explicit(&tids[i], memory_order_relaxed);

        if ((was && was != tid && lives(was)) ||
            !atomic_compare_exchange_strong_explicit(&tids[i], &was, tid, memory_order_relaxed, memory_order_relaxed))
            continue;
        while (now <= i && !atomic_compare_exchange_weak_explicit(&count, &now, i + 1, memory_order_relaxed,
                                                                  memory_order_relaxed))
            ;
        return;
    }
}

void ct_hidden_begin(void)
{
    uint32_t tid = ct_thread_tid_now();

    add(tid);
    ct_thread_hide();
    ct_thread_unsee(tid);
}

void ct_hidden_tell(_Atomic uint32_t *born)
{
    atomic_store_explicit(born, 1, memory_order_release);
    ct_syscall(SYS_futex, born, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
}

void ct_hidden_wait(_Atomic uint32_t *born)
{
    while (atomic_load_explicit(born, memory_order_acquire) == 0)
        ct_syscall(SYS_futex, born, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0);
}

void ct_hidden_not(void)
{
    uint32_t n = atomic_load_explicit(&count, memory_order_relaxed), tid = n ? ct_thread_tid_now() : 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t was = tid;

        atomic_compare_exchange_strong_explicit(&tids[i], &was, 0, memory_order_relaxed, memory_order_relaxed);
    }
}

bool ct_hidden_self(void)
{
    return ct_self.gone == CT_THREAD_HIDDEN;
}

bool ct_hidden(uint32_t tid)
{
    uint32_t n = atomic_load_explicit(&count, memory_order_relaxed);

    for (uint32_t i = 0; i < n; i++)
        if (atomic_load_explicit(&tids[i], memory_order_relaxed) == tid)
            return true;
    return false;
}

uint32_t ct_hidden_count(void)
{
    uint32_t n = atomic_load_explicit(&count, memory_order_relaxed), there = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t tid = atomic_load_explicit(&tids[i], memory_order_relaxed);

        there += tid && lives(tid);
    }
    return there;
}

void ct_hidden_forget(void)
{
    for (uint32_t i = 0; i < HIDDEN_MAX; i++)
        atomic_store_explicit(&tids[i], 0, memory_order_relaxed);
    atomic_store_explicit(&count, 0, memory_order_relaxed);
}
