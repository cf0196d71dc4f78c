/* Threads made by the program: each begins in a routine of ours, so that its first and its last act are known. */
#include "record/thread.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "profile/keep_out.h"
#include "profile/signal.h"
#include "record/emit.h"
#include "record/hidden.h"
#include "record/hot.h"
#include "record/intern.h"
#include "record/syscall.h"
#include "record/tap.h"
#include "wrap/free_mutex.h"
#include "wrap/real.h"
#include "wrap/thread_id.h"
#include "wrap/wait.h"

/*
 * What a new thread is given.  It copies it and gives the block back; when there is no thread after all, its creator does.
 *
 * EDGES
 *   edge   release side    acquire side    what the acquirer may then rely on
 *   START  give_back       take            nobody reads the block any more
 */
struct start {
    void *(*routine)(void *);
    void *argument;
    struct ct_birth birth;
};

/* As many threads can be on their way at once without a system call; more get a page each. */
enum { STARTS = 256 };
static struct start starts[STARTS];
static _Atomic uint64_t taken[STARTS / 64];

static struct start *take(void)
{
    long page;

    for (unsigned word = 0; word < STARTS / 64; word++) {
        uint64_t bits = atomic_load_explicit(&taken[word], memory_order_relaxed);

        while (~bits) {
            unsigned bit = (unsigned)__builtin_ctzll(~bits);

            if (atomic_compare_exchange_weak_explicit(&taken[word], &bits, bits | (uint64_t)1 << bit,
                                                      memory_order_acquire, memory_order_relaxed))     /* edge START */
                return &starts[word * 64 + bit];
        }
    }
    page = ct_syscall(SYS_mmap, 0, sizeof(struct start), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page < 0 ? NULL : (struct start *)page;
}

static void give_back(struct start *s)
{
    size_t i = (size_t)(s - starts);

    if (s >= starts && s < starts + STARTS)
        atomic_fetch_and_explicit(&taken[i / 64], ~((uint64_t)1 << i % 64), memory_order_release);    /* edge START */
    else
        ct_syscall(SYS_munmap, s, sizeof *s);
}

/* The key whose destructor is a thread's last act; made by the first thread that needs it. */
static _Atomic int exit_key = -1;

/*
 * Other destructors may still lock and allocate: ours asks to be called again until the last round there is.  The value
 * of the key is the round.  LTTng's library, which makes itself at home again in a thread that tells something, needs one more to leave.
 */
static void thread_exits(void *round)
{
    uintptr_t last = ct_gate_tap() == CT_TAP_NONE ? PTHREAD_DESTRUCTOR_ITERATIONS : PTHREAD_DESTRUCTOR_ITERATIONS - 1;

    if ((uintptr_t)round < last) {
        pthread_setspecific((pthread_key_t)atomic_load_explicit(&exit_key, memory_order_relaxed),
                            (void *)((uintptr_t)round + 1));
        return;
    }
    ct_wait_abandon();
    ct_thread_gone();
}

CT_EARLY_CODE static void watch_exit(void)
{
    int key = atomic_load_explicit(&exit_key, memory_order_relaxed);
    pthread_key_t made;

    if (key < 0) {
        if (pthread_key_create(&made, thread_exits) != 0)
            return;                     /* the program has taken all: its threads' ends stay unknown */
        if (atomic_compare_exchange_strong_explicit(&exit_key, &key, (int)made, memory_order_relaxed,
                                                    memory_order_relaxed))
            key = (int)made;
        else
            pthread_key_delete(made);
    }
    pthread_setspecific((pthread_key_t)key, (void *)1);
}

/* The main thread ends like others when it calls pthread_exit(). */
static __attribute__((constructor(102))) void watch_main(void)
{
    watch_exit();
}

static struct start begin(struct start *given)
{
    struct start s = *given;

    give_back(given);
    if (s.birth.hidden) {
        ct_hidden_begin();
        ct_hidden_tell(s.birth.hidden);
    } else {
        ct_hidden_not();
        ct_thread_id_note(pthread_self(), s.birth.serial);
    }
    watch_exit();
    ct_thread_born(&s.birth, (uintptr_t)pthread_self());    /* glibc keeps what this points to atop the stack */
    return s;
}

static void *pthread_main(void *given)
{
    struct start s = begin(given);

    CT_SAVE_FP();
    return s.routine(s.argument);
}

/* The same for C11: another type of routine. */
static int thrd_main(void *given)
{
    struct start s = begin(given);

    CT_SAVE_FP();
    return ((thrd_start_t)(void *)s.routine)(s.argument);
}

/* The attributes may say what is blocked from the beginning: then nothing of that comes from the creator. */
static void set_masked(struct ct_birth *birth, const pthread_attr_t *attr)
{
    sigset_t own;
    bool has_own = attr && pthread_attr_getsigmask_np(attr, &own) == 0;
    int number = ct_signal_ours();

    birth->masked = has_own ? number && sigismember(&own, number) == 1 : ct_self.room && ct_self.room->masked;
    birth->kept_out = !has_own && ct_keep_out_now();
}

/* Fills a block for a new thread; NULL when there is no memory, and the thread goes unwatched. */
static struct start *prepare(const pthread_attr_t *attr, void *(*routine)(void *), void *argument)
{
    struct start *s = take();
    size_t stack_size = 0;

    if (!s)
        return NULL;
    if (attr)
        pthread_attr_getstacksize(attr, &stack_size);
    s->routine = routine;
    s->argument = argument;
    s->birth = (struct ct_birth){
        .serial = ct_hidden_self() ? 0 : ct_thread_new_serial(),
        .parent = ct_gate_open() ? ct_thread_serial() : 0,
        .routine = (uintptr_t)routine,
        .stack_size = stack_size,
    };
    set_masked(&s->birth, attr);
    return s;
}

/* Its tid, where libc keeps it.  A thread that has detached itself may be gone, and its memory too: the kernel looks. */
static uint32_t tid_of(pthread_t thread)
{
    ptrdiff_t to_self = (const char *)pthread_self() - (const char *)__builtin_thread_pointer();
    pid_t tid = 0;
    struct iovec here = { &tid, sizeof tid };
    struct iovec there = { (char *)thread - to_self, sizeof tid };
    ptrdiff_t at;

    (void)ct_free_mutex_known();        /* whoever locks: where it lies is looked for, too */
    at = atomic_load_explicit(&ct_free_mutex_tid, memory_order_relaxed);
    if (!at)
        return 0;
    there.iov_base = (char *)there.iov_base + at;
    return ct_syscall(SYS_process_vm_readv, ct_syscall(SYS_gettid), &here, 1, &there, 1, 0) == sizeof tid ? (uint32_t)tid : 0;
}

static void emit_create(uint64_t start, const struct ct_birth *birth, int result)
{
    uint64_t now;

    if (!ct_recording(CT_CAT_thread))
        return;
    now = ct_clock_now();
    EMIT(THREAD_CREATE, .time = now, .dur = now - start, .child = result == 0 ? birth->serial : 0,
         .routine = birth->routine, .result = result, .at = ct_stack_here());
}

CT_WRAPPER int pthread_create(pthread_t *restrict ret, const pthread_attr_t *restrict attr, void *(*routine)(void *),
                              void *restrict argument)
{
    struct start *s = prepare(attr, routine, argument);
    _Atomic uint32_t born = 0;
    struct ct_birth birth;
    uint64_t start;
    int r;

    if (!s)
        return ct_real.pthread_create(ret, attr, routine, argument);
    s->birth.hidden = ct_hidden_self() || ct_tap_is_lttngs((void *)(uintptr_t)routine) ? &born : NULL;
    birth = s->birth;
    start = ct_clock_now();
    r = ct_real.pthread_create(ret, attr, pthread_main, s);
    if (r != 0)
        give_back(s);
    else if (birth.hidden)
        ct_hidden_wait(&born);
    else
        ct_thread_id_note(*ret, birth.serial);
    if (r == 0 && birth.serial && ct_gate_tap() != CT_TAP_NONE)
        ct_tap_thread_made(birth.serial, tid_of(*ret));
    if (!birth.hidden)
        emit_create(start, &birth, -r);
    return r;
}

CT_WRAPPER int thrd_create(thrd_t *ret, thrd_start_t routine, void *argument)
{
    struct start *s = prepare(NULL, (void *(*)(void *))(void *)routine, argument);
    struct ct_birth birth;
    uint64_t start;
    int r;

    if (!s)
        return ct_real.thrd_create(ret, routine, argument);
    birth = s->birth;
    start = ct_clock_now();
    r = ct_real.thrd_create(ret, thrd_main, s);
    if (r == thrd_success)
        ct_thread_id_note(*ret, birth.serial);
    else
        give_back(s);
    emit_create(start, &birth, r == thrd_success ? 0 : r == thrd_nomem ? -ENOMEM : -EAGAIN);
    return r;
}
