/* gate.shut: what an event costs that nobody records, beside a loop that does nothing. */
#include "bench.h"

#include "record/emit.h"

static void run_shut(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        asm volatile("" : "+r"(i));
        if (ct_gate_open())
            EMIT(MARK, .name = i);
    }
}

int main(void)
{
    static struct bench empty = { .name = "empty", .run = bench_run_empty };
    static struct bench shut = { .name = "gate.shut", .run = run_shut };
    struct bench *all[] = { &empty, &shut };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 41);

    if (getenv("BENCH_STEPS")) {
        bench_steps(all, 2, 10000);
        return 0;
    }
    bench_pin();
    bench_alternate(all, 2, rounds, 4000000, 0);
    bench_print("loop.empty", bench_min(&empty, rounds), "ns");
    bench_print_most("gate.shut", bench_min(&shut, rounds) - bench_min(&empty, rounds), "ns", 0.5);
    bench_print("gate.shut.loop", bench_min(&shut, rounds), "ns");
    bench_print("gate.shut.ratio", bench_ratio(&shut, &empty, rounds), "x");
    return 0;
}
