/*
 * emit.uftrace: what an event costs that uftrace records (a call gives two, less what the bare call costs) beside one
 * of ours.  To be run under `uftrace record`.
 */
#include "bench.h"

#include "instrumented.h"
#include "record/emit.h"
#include "recording.h"

static void run_instrumented(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2)
        instrumented_call((unsigned)i);
}

static void run_plain(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2)
        plain_call((unsigned)i);
}

static void run_region(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        if (ct_gate_open())
            EMIT(REGION_BEGIN, .name = 7, .task = i);
        if (ct_gate_open())
            EMIT(REGION_END);
    }
}

int main(int argc, char **argv)
{
    static struct bench instrumented = { .run = run_instrumented }, plain = { .run = run_plain }, region = { .run = run_region };
    struct bench *all[] = { &instrumented, &plain, &region };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);

    if (argc != 2) {
        fprintf(stderr, "usage: uftrace record bench-emit-uftrace FILE\n");
        return 2;
    }
    bench_pin();
    recording_start(argv[1], 64 << 20);
    bench_alternate(all, 3, rounds, 400000, 20);
    recording_stop();
    for (unsigned r = 0; r < rounds; r++)
        instrumented.ns[r] -= plain.ns[r];
    bench_print("emit.uftrace", bench_min(&instrumented, rounds), "ns");
    bench_print("emit.uftrace.ours", bench_min(&region, rounds), "ns");
    bench_print_least("emit.uftrace.ratio", bench_ratio(&instrumented, &region, rounds), "x", 1.5);
    return 0;
}
