/*
 * The control thread as a pthread: the thread sanitizer must know every thread that runs what it watches, and it cannot
 * know one that libc did not make.  Everything that the thread does is the recorder's own.
 */
#include "record/control_thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static void (*thread_body)(void);
static _Atomic uint32_t *thread_tid;
static pthread_t thread;

/* The recorder's own thread blocks libc's signals too, one of which wakes it up; pthread_sigmask leaves those alone. */
static void block_all(void)
{
    const uint64_t all = UINT64_MAX;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
}

static void *run(void *unused)
{
    block_all();
    atomic_store(thread_tid, (uint32_t)gettid());
    syscall(SYS_futex, thread_tid, FUTEX_WAKE, 1, NULL, NULL, 0);
    thread_body();
    atomic_store(thread_tid, 0);
    syscall(SYS_futex, thread_tid, FUTEX_WAKE, 1, NULL, NULL, 0);
    return unused;
}

int ct_raw_thread_start(void (*body)(void), _Atomic uint32_t *tid)
{
    sigset_t all, before;
    int r;

    thread_body = body;
    thread_tid = tid;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    while (r == 0 && atomic_load(tid) == 0)
        syscall(SYS_futex, tid, FUTEX_WAIT, 0, NULL, NULL, 0);
    return -r;
}

void ct_raw_thread_join(_Atomic uint32_t *tid)
{
    (void)tid;
    pthread_join(thread, NULL);
}

bool ct_raw_thread_is_self(void)
{
    return thread_tid && atomic_load(thread_tid) != 0 && pthread_equal(pthread_self(), thread);
}
