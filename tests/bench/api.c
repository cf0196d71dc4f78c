/*
 * emit.api: what a program pays that calls trace_*(): through libctrace.so into the recorder, drained by the program's
 * own drainer (or by `ctrace record`).  And what the same calls cost while nothing is recorded.
 */
#include "bench.h"

#include <ctrace.h>

static void run_instant(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        trace_instant("a named moment");
}

static void run_region(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        trace_region_begin("a region");
        trace_region_end();
    }
}

static void run_log(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        trace_log(0, "category", "sixteen letters.");
}

int main(int argc, char **argv)
{
    static struct bench empty = { .run = bench_run_empty }, tsc = { .run = bench_run_tsc };
    static struct bench instant = { .run = run_instant }, region = { .run = run_region }, log = { .run = run_log };
    static struct bench shut = { .run = run_instant };
    struct bench *idle[] = { &empty, &shut }, *all[] = { &tsc, &instant, &region, &log };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);
    int r;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-api FILE\n");
        return 2;
    }
    bench_pin();
    bench_alternate(idle, 2, rounds, 1000000, 0);
    r = trace_start(argv[1]);
    if (r < 0) {
        fprintf(stderr, "emit.api: trace_start: %s\n", strerror(-r));
        return 1;
    }
    bench_alternate(all, 4, rounds, 500000, 20);
    trace_stop();
    bench_print("emit.api.shut", bench_min(&shut, rounds) - bench_min(&empty, rounds), "ns");
    bench_print("emit.api.instant", bench_min(&instant, rounds), "ns");
    bench_print("emit.api.region", bench_min(&region, rounds), "ns");
    bench_print("emit.api.log", bench_min(&log, rounds), "ns");
    bench_print("emit.api.ratio", bench_ratio(&instant, &tsc, rounds), "x");
    return 0;
}
