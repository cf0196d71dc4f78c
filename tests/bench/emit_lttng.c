/* emit.lttng: a begin and an end through LTTng-UST; to be run inside a session that records ctrace_bench:*. */
#include "bench.h"
#include "lttng_provider.h"

static void run_lttng(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        lttng_ust_tracepoint(ctrace_bench, begin, 7, i);
        lttng_ust_tracepoint(ctrace_bench, end);
    }
}

int main(void)
{
    static struct bench lttng = { .run = run_lttng }, tsc = { .run = bench_run_tsc };
    struct bench *all[] = { &lttng, &tsc };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);

    if (!lttng_ust_tracepoint_enabled(ctrace_bench, begin)) {
        fprintf(stderr, "emit.lttng: no LTTng session records ctrace_bench:*\n");
        return 1;
    }
    bench_pin();
    bench_alternate(all, 2, rounds, 200000, 20);
    bench_print("emit.lttng", bench_min(&lttng, rounds) / 2, "ns");
    return 0;
}
