/* unwind.stack16: what a stack of 16 frames costs recognized, unwound, hashed, by backtrace(). */
#include "bench.h"

#include <execinfo.h>
#include <pthread.h>
#include <sys/mman.h>

#include "record/unwind.h"

enum { FRAMES = 16, REPEATS = 4000 };

static struct ct_unwind_cache *cache;
static uintptr_t stack_low, stack_high;
static uint64_t pcs[FRAMES];

static void run_unwind(uint64_t n)
{
    unsigned flags, count = FRAMES;

    for (uint64_t i = 0; i < n && count == FRAMES; i++)
        count = ct_unwind_here(cache, stack_low, stack_high, pcs, FRAMES, &flags);
    if (count != FRAMES)
        abort();
}

/*
 * Three bounds in turn are three stacks of one depth, one more than are remembered: each is unwound
 * anew.
 */
static void run_walk(uint64_t n)
{
    unsigned flags, count = FRAMES;

    for (uint64_t i = 0; i < n && count == FRAMES; i++)
        count = ct_unwind_here(cache, stack_low, stack_high - i % 3 * 8, pcs, FRAMES, &flags);
    if (count != FRAMES)
        abort();
}

static void run_hash(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hash = ct_unwind_hash(pcs, FRAMES);

        asm volatile("" : : "r"(hash) : "memory");
    }
}

static void run_backtrace(uint64_t n)
{
    void *theirs[FRAMES];

    for (uint64_t i = 0; i < n / 20 + 1; i++)
        if (backtrace(theirs, FRAMES) != FRAMES)
            abort();
}

static struct bench all[] = {
    { .name = "unwind.stack16", .run = run_unwind },
    { .name = "unwind.walk16", .run = run_walk },
    { .name = "unwind.hash16", .run = run_hash },
    { .name = "unwind.stack16.backtrace", .run = run_backtrace },
};

static void measure(unsigned rounds)
{
    struct bench *things[] = { &all[0], &all[1], &all[2], &all[3] };

    bench_alternate(things, 4, rounds, REPEATS, 0);
}

/* A chain of functions of different frame sizes, none a tail call. */
#define LINK(number, callee, bytes)                                                                \
    static __attribute__((noinline)) void link##number(unsigned rounds)                            \
    {                                                                                              \
        char room[bytes];                                                                          \
                                                                                                   \
        asm volatile("" : : "r"(room) : "memory");                                                 \
        callee(rounds);                                                                            \
        asm volatile("" : : "r"(room) : "memory");                                                 \
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
    pthread_attr_t attributes;
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 60);
    void *low;
    size_t size;

    bench_pin();
    if (pthread_getattr_np(pthread_self(), &attributes) ||
        pthread_attr_getstack(&attributes, &low, &size))
        return 1;
    pthread_attr_destroy(&attributes);
    stack_low = (uintptr_t)low;
    stack_high = stack_low + size;
    cache = mmap(NULL, ct_unwind_cache_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    if (cache == MAP_FAILED)
        return 1;
    link16(rounds);
    bench_print_most("unwind.stack16", bench_min(&all[0], rounds), "ns", 50);
    bench_print_most("unwind.walk16", bench_min(&all[1], rounds), "ns", 50);
    bench_print_most("unwind.hash16", bench_min(&all[2], rounds), "ns", 8);
    bench_print("unwind.stack16.backtrace",
                bench_min(&all[3], rounds) * 20 * REPEATS / (REPEATS + 20), "ns");
    return 0;
}
