/*
 * emit.lttng: an event through LTTng-UST beside one of ours, both drained to disk; a begin with two numbers and an end,
 * halved.  To be run inside a session that records ctrace_bench:*.
 */
#include "bench.h"

#include "lttng_provider.h"
#include "record/emit.h"
#include "recording.h"

static void run_lttng(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        lttng_ust_tracepoint(ctrace_bench, begin, 7, i);
        lttng_ust_tracepoint(ctrace_bench, end);
    }
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
    static struct bench lttng = { .run = run_lttng }, region = { .run = run_region };
    struct bench *all[] = { &lttng, &region };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);

    if (argc != 2 || !lttng_ust_tracepoint_enabled(ctrace_bench, begin)) {
        fprintf(stderr, "usage: bench-emit-lttng FILE, in an LTTng session that records ctrace_bench:*\n");
        return 2;
    }
    bench_pin();
    recording_start(argv[1], 64 << 20);
    bench_alternate(all, 2, rounds, 400000, 20);
    recording_stop();
    bench_print("emit.lttng", bench_min(&lttng, rounds), "ns");
    bench_print("emit.lttng.ours", bench_min(&region, rounds), "ns");
    bench_print_least("emit.lttng.ratio", bench_ratio(&lttng, &region, rounds), "x", 5);
    return 0;
}
