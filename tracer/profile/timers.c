/* Timers by thread id: a table with a word for each id that there can be. */
#include "profile/timers.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "format/limits.h"
#include "record/clock.h"
#include "record/syscall.h"

/*
 * Ids are below 2^22 on every kernel.  Only pages of ids that were met are ever touched, and remembered, so that nobody
 * looks through the others.
 */
enum { IDS = 1 << 22, WORDS_PER_PAGE = 4096 / sizeof(uint32_t), PAGES = IDS / WORDS_PER_PAGE };

/* A word of the table: */
enum { NONE = 0, BEING_MADE = 1, FIRST_ID = 2 };        /* from FIRST_ID on: the kernel's number of the timer + 2 */

static char cookies[CT_CPU_RATE_MAX + 1];               /* a tick's si_value is the one at its timer's rate */

static _Atomic uint32_t *_Atomic table;
static _Atomic uint64_t touched[PAGES / 64];            /* relaxed: a bit is set before its page's first word is */
static _Atomic bool on;                                 /* edge ON */
static _Atomic uint32_t rate_now;                       /* relaxed, with edge ON */
static int signal_number;

bool ct_timers_on(void)
{
    return atomic_load_explicit(&on, memory_order_acquire);
}

uint64_t ct_timers_period(const void *value)
{
    uintptr_t rate = (uintptr_t)value - (uintptr_t)cookies;

    return rate && rate <= CT_CPU_RATE_MAX ? 1000000000 / rate : 0;
}

int ct_timers_begin(int signal, uint32_t rate)
{
    if (!atomic_load_explicit(&table, memory_order_relaxed)) {
        long at = ct_syscall(SYS_mmap, 0, IDS * sizeof(uint32_t), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (at < 0)
            return (int)at;
        atomic_store_explicit(&table, (_Atomic uint32_t *)at, memory_order_release);
    }
    signal_number = signal;
    atomic_store_explicit(&rate_now, rate, memory_order_relaxed);
    atomic_store_explicit(&on, true, memory_order_release);             /* edge ON */
    return 0;
}

static void delete(uint32_t word)
{
    if (word >= FIRST_ID)
        ct_syscall(SYS_timer_delete, word - FIRST_ID);
}

static _Atomic uint32_t *word_of(uint32_t tid)
{
    _Atomic uint32_t *words = atomic_load_explicit(&table, memory_order_acquire);

    return words && tid < IDS ? &words[tid] : NULL;
}

bool ct_timers_has(uint32_t tid)
{
    _Atomic uint32_t *word = word_of(tid);

    return word && atomic_load_explicit(word, memory_order_relaxed) != NONE;
}

/* How far apart the kernel's looks at the clocks are. */
static uint64_t tick_ns(void)
{
    static _Atomic uint64_t known;
    uint64_t ns = atomic_load_explicit(&known, memory_order_relaxed);
    struct timespec resolution;

    if (ns == 0) {
        ns = ct_syscall(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &resolution) == 0 && resolution.tv_sec == 0
             ? (uint64_t)resolution.tv_nsec : 4000000;
        atomic_store_explicit(&known, ns, memory_order_relaxed);
    }
    return ns;
}

/*
 * The kernel sees an expiry at its next tick, and never if the thread ends before.  Rounded down to whole ticks, each
 * tick of a thread's life has the same chance to be the first that is met, the first one as well.
 */
static uint64_t first_expiry(uint32_t tid, uint64_t period_ns)
{
    uint64_t chance = ct_clock_now() + tid * 0x9e3779b97f4a7c15u, tick = tick_ns(), ns;

    chance = (chance ^ chance >> 30) * 0xbf58476d1ce4e5b9u;
    chance = (chance ^ chance >> 27) * 0x94d049bb133111ebu;
    ns = (chance ^ chance >> 31) % period_ns / tick * tick;
    return ns ? ns : 1;
}

int ct_timers_make(uint32_t tid, int signal, void *value, uint64_t first_ns, uint64_t period_ns)
{
    struct sigevent event;
    struct itimerspec when;
    clockid_t clock = (clockid_t)(~tid << 3 | 6);       /* the CPU time of that thread, which libc has no name for */
    int timer = -1;
    long r;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal;
    event.sigev_value.sival_ptr = value;
    event._sigev_un._tid = (pid_t)tid;
    r = ct_syscall(SYS_timer_create, clock, &event, &timer);
    if (r < 0)
        return (int)r;
    when.it_interval = (struct timespec){ (time_t)(period_ns / 1000000000), (long)(period_ns % 1000000000) };
    when.it_value = (struct timespec){ (time_t)(first_ns / 1000000000), (long)(first_ns % 1000000000) };
    r = ct_syscall(SYS_timer_settime, timer, 0, &when, 0);
    if (r < 0) {
        ct_syscall(SYS_timer_delete, timer);
        return (int)r;
    }
    return timer;
}

/* Returns the word for a new timer, or a negative errno. */
static int64_t create(uint32_t tid)
{
    uint32_t rate = atomic_load_explicit(&rate_now, memory_order_relaxed);
    uint64_t period_ns = 1000000000 / rate;
    int timer = ct_timers_make(tid, signal_number, &cookies[rate], first_expiry(tid, period_ns), period_ns);

    return timer < 0 ? timer : (int64_t)timer + FIRST_ID;
}

int ct_timers_arm(uint32_t tid)
{
    _Atomic uint32_t *word = word_of(tid);
    uint32_t expected = NONE;
    int64_t made;

    if (!ct_timers_on() || !word)
        return -ECANCELED;
    atomic_fetch_or_explicit(&touched[tid / WORDS_PER_PAGE / 64], (uint64_t)1 << tid / WORDS_PER_PAGE % 64,
                             memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(word, &expected, BEING_MADE, memory_order_acq_rel, memory_order_relaxed))
        return 0;
    made = create(tid);
    expected = BEING_MADE;
    if (!atomic_compare_exchange_strong_explicit(word, &expected, made < 0 ? NONE : (uint32_t)made, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        delete(made < 0 ? NONE : (uint32_t)made);       /* dropped while it was being made */
        return -ECANCELED;
    }
    if (!ct_timers_on())
        ct_timers_drop(tid);            /* who ended them may have been past this one */
    return made < 0 ? (int)made : 0;
}

void ct_timers_drop(uint32_t tid)
{
    _Atomic uint32_t *word = word_of(tid);

    if (word && atomic_load_explicit(word, memory_order_relaxed) != NONE)
        delete(atomic_exchange_explicit(word, NONE, memory_order_acq_rel));
}

/* A timer that runs never shows 0. */
static void drop_if_dead(_Atomic uint32_t *word)
{
    uint32_t was = atomic_load_explicit(word, memory_order_relaxed);
    struct itimerspec left;

    if (was < FIRST_ID)
        return;
    if (ct_syscall(SYS_timer_gettime, was - FIRST_ID, &left) == 0 && (left.it_value.tv_sec || left.it_value.tv_nsec))
        return;
    if (atomic_compare_exchange_strong_explicit(word, &was, NONE, memory_order_acq_rel, memory_order_relaxed))
        delete(was);
}

void ct_timers_drop_dead(uint32_t tid)
{
    _Atomic uint32_t *word = word_of(tid);

    if (word)
        drop_if_dead(word);
}

/* Every word that may be in use. */
static void each_word(void (*act)(_Atomic uint32_t *word))
{
    _Atomic uint32_t *words = atomic_load_explicit(&table, memory_order_acquire);

    for (uint32_t group = 0; words && group < PAGES / 64; group++) {
        uint64_t bits = atomic_load_explicit(&touched[group], memory_order_relaxed);

        for (; bits; bits &= bits - 1) {
            uint32_t page = group * 64 + (uint32_t)__builtin_ctzll(bits);

            for (uint32_t i = 0; i < WORDS_PER_PAGE; i++)
                if (atomic_load_explicit(&words[page * WORDS_PER_PAGE + i], memory_order_relaxed) != NONE)
                    act(&words[page * WORDS_PER_PAGE + i]);
        }
    }
}

void ct_timers_sweep(void)
{
    each_word(drop_if_dead);
}

static void drop_word(_Atomic uint32_t *word)
{
    delete(atomic_exchange_explicit(word, NONE, memory_order_acq_rel));
}

void ct_timers_end(void)
{
    atomic_store_explicit(&on, false, memory_order_release);
    each_word(drop_word);
}

void ct_timers_forget(void)
{
    _Atomic uint32_t *words = atomic_load_explicit(&table, memory_order_relaxed);

    atomic_store_explicit(&on, false, memory_order_relaxed);
    if (words)
        ct_syscall(SYS_madvise, words, IDS * sizeof *words, MADV_DONTNEED);
    memset((void *)touched, 0, sizeof touched);
}
