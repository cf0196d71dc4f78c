/*
 * malloc.pair: what the recorder adds to malloc() and free() of libc's allocator.
 *
 *   LD_PRELOAD=libctrace-rt.so bench-malloc malloc.pair.idle 2
 *   ctrace record -- bench-malloc malloc.pair.recording 5
 *
 * With another library preloaded, and no budget: what its allocator costs more than libc's.  The pairs take turns of some 50 us:
 * of these there are some that nobody interrupts, also on a machine that others use.
 */
#include "bench.h"

#include <dlfcn.h>

enum { LIVE = 4096, TURN = 4000, TURNS = 100 };

static void *(*libc_malloc)(size_t), *(*seen_malloc)(size_t);
static void (*libc_free)(void *), (*seen_free)(void *);
static uint32_t sizes[LIVE];
static void *blocks[LIVE];

/* A block of 64 bytes that comes back at once: the thread's own cache. */
static __attribute__((always_inline)) inline void pairs(void *(*get)(size_t), void (*give)(void *), uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        void *block = get(64);

        asm volatile("" : "+r"(block));
        give(block);
    }
}

/* Sizes from 16 to 2,000 at random in 4,096 live blocks. */
static __attribute__((always_inline)) inline void mixed(void *(*get)(size_t), void (*give)(void *), uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        unsigned at = (unsigned)(i * 2654435761u) % LIVE;

        give(blocks[at]);
        blocks[at] = get(sizes[(i + at) % LIVE]);
    }
    for (unsigned i = 0; i < LIVE; i++) {
        give(blocks[i]);
        blocks[i] = NULL;
    }
}

static void run_libc(uint64_t n) { pairs(libc_malloc, libc_free, n); }
static void run_seen(uint64_t n) { pairs(seen_malloc, seen_free, n); }
static void run_libc_mixed(uint64_t n) { mixed(libc_malloc, libc_free, n); }
static void run_seen_mixed(uint64_t n) { mixed(seen_malloc, seen_free, n); }

/* Prints what `seen` costs more than `libc`: least against least, and as the median over neighbouring turns. */
static void measure_pairs(struct bench *libc, struct bench *seen, const char *name, unsigned rounds, const char *budget)
{
    double least[2] = { 1e9, 1e9 }, more[BENCH_ROUNDS_MAX], turn[TURNS];
    struct bench *both[] = { libc, seen };
    char text[64];

    for (unsigned r = 0; r < rounds; r++) {
        bench_alternate(both, 2, TURNS, TURN, 0);
        for (unsigned i = 0; i < 2; i++)
            least[i] = bench_min(both[i], TURNS) < least[i] ? bench_min(both[i], TURNS) : least[i];
        for (unsigned t = 0; t < TURNS; t++)
            turn[t] = seen->ns[t] - libc->ns[t];
        more[r] = bench_median(turn, TURNS);
    }
    snprintf(text, sizeof(text), "%s.libc", name);
    bench_print(text, least[0], "ns");
    if (budget)
        bench_print_most(name, least[1] - least[0], "ns", atof(budget));
    else
        bench_print(name, least[1] - least[0], "ns");
    snprintf(text, sizeof(text), "%s.paired", name);
    bench_print(text, bench_median(more, rounds), "ns");
}

int main(int argc, char **argv)
{
    static struct bench empty = { .run = bench_run_empty };
    static struct bench libc = { .run = run_libc, .name = "malloc.libc" }, seen = { .run = run_seen };
    static struct bench libc_mixed = { .run = run_libc_mixed }, seen_mixed = { .run = run_seen_mixed };
    struct bench *mixed_ways[] = { &libc_mixed, &seen_mixed }, *counted[] = { &empty, &libc, &seen };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 41);
    void *handle = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    char name[64];

    if (argc != 2 && argc != 3)
        return 2;
    libc_malloc = (void *(*)(size_t))dlsym(handle, "malloc");
    libc_free = (void (*)(void *))dlsym(handle, "free");
    seen_malloc = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "malloc");
    seen_free = (void (*)(void *))dlsym(RTLD_DEFAULT, "free");
    if (libc_malloc == seen_malloc || libc_free == seen_free) {
        fprintf(stderr, "%s: the recorder is not loaded\n", argv[1]);
        return 1;
    }
    for (unsigned i = 0; i < LIVE; i++)
        sizes[i] = 16 + (i * 40503u >> 3) % 1985;
    seen.name = argv[1];
    if (getenv("BENCH_STEPS")) {
        bench_steps(counted, 3, 1000);
        return 0;
    }
    bench_pin();
    if (rounds > BENCH_ROUNDS_MAX)
        rounds = BENCH_ROUNDS_MAX;
    measure_pairs(&libc, &seen, argv[1], rounds, argc == 3 ? argv[2] : NULL);
    bench_alternate(mixed_ways, 2, rounds, 300000, 0);
    snprintf(name, sizeof(name), "%s.mixed_libc", argv[1]);
    bench_print(name, bench_min(&libc_mixed, rounds), "ns");
    snprintf(name, sizeof(name), "%s.mixed", argv[1]);
    bench_print(name, bench_min(&seen_mixed, rounds) - bench_min(&libc_mixed, rounds), "ns");
    return 0;
}
