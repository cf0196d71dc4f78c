/* What a 16-frame stack of code without frame pointers costs, warm: our unwinder, its hash, and glibc's backtrace(). */
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "record/unwind.h"

enum { FRAMES = 16, RUNS = 12, OUR_ROUNDS = 200000, THEIR_ROUNDS = 4000 };

/* What is measured at the bottom of the chain of calls. */
enum subject { UNWIND, HASH, BACKTRACE, SUBJECTS };

static struct ct_unwind_cache *cache;
static uintptr_t stack_low, stack_high;
static uint64_t pcs[FRAMES];
static volatile uint64_t sink;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static unsigned unwind_rounds(void)
{
    unsigned flags, count = 0;

    for (int i = 0; i < OUR_ROUNDS; i++) {
        count = ct_unwind_here(cache, stack_low, stack_high, pcs, FRAMES, &flags);
        sink = pcs[count - 1];
    }
    return count;
}

static double measure(enum subject subject)
{
    int rounds = subject == BACKTRACE ? THEIR_ROUNDS : OUR_ROUNDS;
    double start = now();

    if (subject == UNWIND && unwind_rounds() != FRAMES)
        abort();
    for (int i = 0; subject == HASH && i < rounds; i++) {
        __asm__ volatile("" : : : "memory");    /* else the sums of what does not change would be kept */
        sink = ct_unwind_hash(pcs, FRAMES);
    }
    for (int i = 0; subject == BACKTRACE && i < rounds; i++) {
        void *theirs[FRAMES];

        if (backtrace(theirs, FRAMES) != FRAMES)
            abort();
        sink = (uint64_t)(uintptr_t)theirs[FRAMES - 1];
    }
    return (now() - start) / rounds;
}

/* A chain of functions of different frame sizes, none a tail call. */
#define LINK(number, callee, bytes)                                                                \
    static __attribute__((noinline, optimize("omit-frame-pointer"))) double link##number(enum subject subject) \
    {                                                                                              \
        volatile char room[bytes];                                                                 \
                                                                                                   \
        room[0] = (char)subject;                                                                   \
        double ns = callee(subject);                                                               \
        return ns + 0 * room[0];                                                                   \
    }

LINK(1, measure, 8)
LINK(2, link1, 40)
LINK(3, link2, 200)
LINK(4, link3, 16)
LINK(5, link4, 24)
LINK(6, link5, 1000)
LINK(7, link6, 72)
LINK(8, link7, 8)
LINK(9, link8, 128)
LINK(10, link9, 56)
LINK(11, link10, 32)
LINK(12, link11, 8)
LINK(13, link12, 300)
LINK(14, link13, 16)
LINK(15, link14, 104)
LINK(16, link15, 8)

int main(void)
{
    static const char *const names[SUBJECTS] = { "unwind.stack16", "unwind.hash16", "unwind.stack16.backtrace" };
    double best[SUBJECTS] = { 1e9, 1e9, 1e9 };
    pthread_attr_t attributes;
    void *low;
    size_t size;

    if (pthread_getattr_np(pthread_self(), &attributes) || pthread_attr_getstack(&attributes, &low, &size))
        return 1;
    pthread_attr_destroy(&attributes);
    stack_low = (uintptr_t)low;
    stack_high = stack_low + size;
    cache = mmap(NULL, ct_unwind_cache_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED)
        return 1;
    for (int run = 0; run < RUNS; run++) {
        for (int subject = 0; subject < SUBJECTS; subject++) {
            double ns = link16(subject);

            if (ns < best[subject])
                best[subject] = ns;
        }
    }
    for (int subject = 0; subject < SUBJECTS; subject++)
        printf("%s %.1f ns\n", names[subject], best[subject]);
    return 0;
}
