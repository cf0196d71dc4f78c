/*
 * emit.open: what one event costs while it is recorded and drained, beside a read of the TSC.
 *
 *   emit.open      EMIT of a named moment, as wrappers do it: the budget
 *   emit.counter   the same with a value; emit.region: begin and end, halved; emit.io: duration, call, descriptor, result
 */
#include "bench.h"

#include "record/emit.h"
#include "recording.h"

static void run_mark(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (ct_gate_open())
            EMIT(MARK, .name = 9);
}

static void run_counter(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (ct_gate_open())
            EMIT(COUNTER, .name = 9, .value = (int64_t)i);
}

static void run_region(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        if (ct_gate_open())
            EMIT(REGION_BEGIN, .name = 9, .task = 7);
        if (ct_gate_open())
            EMIT(REGION_END);
    }
}

static void run_io(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (ct_gate_open())
            EMIT(IO, .dur = 70, .call = 1, .fd = 5, .result = 4096);
}

int main(int argc, char **argv)
{
    static struct bench empty = { .name = "empty", .run = bench_run_empty }, tsc = { .name = "tsc.read", .run = bench_run_tsc };
    static struct bench mark = { .name = "emit.open", .run = run_mark };
    static struct bench counter = { .name = "emit.counter", .run = run_counter };
    static struct bench region = { .name = "emit.region", .run = run_region };
    static struct bench io = { .name = "emit.io", .run = run_io };
    struct bench *all[] = { &empty, &tsc, &mark, &counter, &region, &io };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);
    uint64_t lost;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-emit FILE\n");
        return 2;
    }
    bench_pin();
    recording_start(argv[1], 64 << 20);
    if (getenv("BENCH_STEPS")) {
        bench_steps(all, 6, 10000);
        recording_stop();
        return 0;
    }
    bench_alternate(all, 6, rounds, 1000000, 20);
    lost = recording_stop();
    bench_print_most("emit.lost", (double)lost, "events", 0);
    bench_print("tsc.read", bench_min(&tsc, rounds), "ns");
    bench_print("emit.open", bench_min(&mark, rounds), "ns");
    bench_print_most("emit.open.ratio", bench_ratio(&mark, &tsc, rounds), "x", 1.25);
    bench_print("emit.counter", bench_min(&counter, rounds), "ns");
    bench_print("emit.region", bench_min(&region, rounds), "ns");
    bench_print("emit.io", bench_min(&io, rounds), "ns");
    return 0;
}
