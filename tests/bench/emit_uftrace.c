/* emit.uftrace: what uftrace adds to a call, by two events a call; to be run under `uftrace record`. */
#include "bench.h"
#include "instrumented.h"

static void run_instrumented(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        instrumented_call((unsigned)i);
}

static void run_plain(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        plain_call((unsigned)i);
}

int main(void)
{
    static struct bench instrumented = { .run = run_instrumented }, plain = { .run = run_plain };
    struct bench *all[] = { &instrumented, &plain };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);

    bench_pin();
    bench_alternate(all, 2, rounds, 200000, 20);
    bench_print("emit.uftrace", (bench_min(&instrumented, rounds) - bench_min(&plain, rounds)) / 2, "ns");
    return 0;
}
