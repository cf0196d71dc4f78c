/* Requests of the program's threads to the control thread: one at a time, answered through a futex. */
#include "record/control_ask.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <time.h>

#include "record/control_thread.h"
#include "record/gate.h"
#include "record/rawfile.h"
#include "record/sandbox.h"
#include "record/syscall.h"

static struct {
    _Atomic uint32_t lock;              /* futex: one asker at a time */
    _Atomic uint32_t request;           /* enum ct_control_request; edge ASK */
    _Atomic uint32_t answers;           /* futex: count of them; edge DONE */
    int answer;
    struct ct_control_question question;
} ask;

_Atomic uint32_t ct_control_tid;
static _Atomic uint32_t poked;          /* a wake-up is on its way already */

static const struct timespec a_while = { 0, 100000000 };

_Static_assert(CT_POKE_UNQUEUED == SIGSTKFLT, "the kernel's number");

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
    return ct_syscall(SYS_futex, word, op, value, timeout, 0, 0);
}

bool ct_control_alive(void)
{
    return atomic_load_explicit(&ct_control_tid, memory_order_acquire) != 0;
}

bool ct_control_is(uint32_t thread)
{
    return thread != 0 && atomic_load_explicit(&ct_control_tid, memory_order_relaxed) == thread;
}

/* --- waking --- */

static void wake_control(void)
{
    uint32_t to = atomic_load_explicit(&ct_control_tid, memory_order_relaxed);
    long pid = ct_syscall(SYS_getpid);

    if (to && ct_syscall(SYS_tgkill, pid, to, CT_POKE) == -EAGAIN)
        ct_syscall(SYS_tgkill, pid, to, CT_POKE_UNQUEUED);
}

/* Whether a thread of the program may, and may wait for an answer. */
static bool can_wake(void)
{
    return !atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed) ||
           !(ct_sandbox_forbids(SYS_getpid) || ct_sandbox_forbids(SYS_tgkill) || ct_sandbox_forbids(SYS_futex));
}

void ct_control_poke(void)
{
    if (atomic_exchange_explicit(&poked, 1, memory_order_relaxed) == 0)
        wake_control();
}

void ct_control_poked(void)
{
    atomic_store_explicit(&poked, 0, memory_order_relaxed);
}

void ct_control_ring_drainer(struct ct_arena *a)
{
    if (atomic_load_explicit(&a->bell_waiters, memory_order_relaxed) == 0)
        return;
    atomic_fetch_add_explicit(&a->bell, 1, memory_order_relaxed);
    futex(&a->bell, FUTEX_WAKE, 1, NULL);
}

/* --- asking --- */

static void lock_ask(void)
{
    uint32_t free = 0;

    while (!atomic_compare_exchange_strong_explicit(&ask.lock, &free, 1, memory_order_acquire, memory_order_relaxed)) {
        static const struct timespec moment = { 0, 1000000 };

        futex(&ask.lock, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, &moment);
        free = 0;
    }
}

static void unlock_ask(void)
{
    atomic_store_explicit(&ask.lock, 0, memory_order_release);
    futex(&ask.lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL);
}

uint32_t ct_control_answers(void)
{
    return atomic_load_explicit(&ask.answers, memory_order_relaxed);
}

bool ct_control_wait(uint32_t before)
{
    while (atomic_load_explicit(&ask.answers, memory_order_acquire) == before) {    /* edge DONE */
        futex(&ask.answers, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, before, &a_while);
        if (!ct_control_alive() && atomic_load_explicit(&ask.answers, memory_order_acquire) == before)
            return false;
    }
    return true;
}

int ct_control_ask(enum ct_control_request request, int fd, const char *text)
{
    size_t at = 0;
    uint32_t before;
    int r = -ESRCH;

    if (!can_wake())
        return -EPERM;
    ct_gate_open();                     /* a forked child that has done nothing yet finds out that its parent's thread is not there */
    lock_ask();
    if (!ct_control_alive())
        goto out;
    before = ct_control_answers();      /* who is born meanwhile counts as one, but answers nothing */
    ask.question.fd = fd;
    ct_raw_append(ask.question.text, sizeof ask.question.text, &at, text ? text : "");
    if (request == CT_ASK_IDENTITY)
        ct_identity_get(&ask.question.identity);
    atomic_store_explicit(&ask.request, request, memory_order_release);             /* edge ASK */
    wake_control();
    for (; atomic_load_explicit(&ask.request, memory_order_acquire) != CT_ASK_NONE; before++)   /* edge DONE */
        if (!ct_control_wait(before)) {
            atomic_store_explicit(&ask.request, CT_ASK_NONE, memory_order_relaxed);     /* or the next thread would do it */
            goto out;
        }
    r = ask.answer;
    if (request == CT_ASK_END)
        ct_raw_thread_join(&ct_control_tid);
out:
    unlock_ask();
    return r;
}

/* --- the control thread's side --- */

enum ct_control_request ct_control_asked(const struct ct_control_question **ret)
{
    if (ret)
        *ret = &ask.question;
    return atomic_load_explicit(&ask.request, memory_order_acquire);                /* edge ASK */
}

void ct_control_answer(int answer)
{
    ask.answer = answer;
    atomic_store_explicit(&ask.request, CT_ASK_NONE, memory_order_release);         /* edge DONE */
    ct_control_born();
}

void ct_control_born(void)
{
    atomic_fetch_add_explicit(&ask.answers, 1, memory_order_release);
    futex(&ask.answers, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL);
}

void ct_control_ask_forget(void)
{
    atomic_store_explicit(&ct_control_tid, 0, memory_order_relaxed);
    atomic_store_explicit(&poked, 0, memory_order_relaxed);
    atomic_store_explicit(&ask.lock, 0, memory_order_relaxed);
    atomic_store_explicit(&ask.request, CT_ASK_NONE, memory_order_relaxed);
}
