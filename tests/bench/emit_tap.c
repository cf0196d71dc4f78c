/*
 * emit.lttng.idle and emit.lttng.active: one of our events while libctrace-lttng.so is there.  `idle` compares it with what it
 * would be without a look whether LTTng wants it; `active` is to be run inside a session that records ctrace:region_*.
 */
#include "bench.h"

#include "record/emit.h"
#include "record/intern.h"
#include "record/session_state.h"
#include "record/tap.h"
#include "recording.h"

static uint64_t name;

static void run_with(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        if (ct_gate_open())
            EMIT(REGION_BEGIN, .name = name, .task = i);
        if (ct_gate_open())
            EMIT(REGION_END);
    }
}

static void run_without(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        if (ct_gate_open())
            ct_write_REGION_BEGIN((struct ct_ev_REGION_BEGIN){ .name = name, .task = i }, 0);
        if (ct_gate_open())
            ct_write_REGION_END((struct ct_ev_REGION_END){ 0 }, 0);
    }
}

/* Median over the rounds of what one takes more than the other in the same round. */
static double difference(const struct bench *a, const struct bench *b, unsigned rounds)
{
    double all[BENCH_ROUNDS_MAX];

    for (unsigned r = 0; r < rounds; r++)
        all[r] = a->ns[r] - b->ns[r];
    return bench_median(all, rounds);
}

static int idle(const char *path, unsigned rounds)
{
    static struct bench with = { .run = run_with }, without = { .run = run_without };
    struct bench *all[] = { &with, &without };

    recording_start(path, 64 << 20);
    if (ct_tap_load() < 0 || ct_gate_tap() != CT_TAP_NONE)
        return 1;
    name = ct_string("a region");
    bench_alternate(all, 2, rounds, 400000, 20);
    recording_stop();
    bench_print_most("emit.lttng.idle", difference(&with, &without, rounds), "ns", 1);
    return 0;
}

static int active(unsigned rounds)
{
    static struct bench with = { .run = run_with };
    struct bench *all[] = { &with };

    if (ct_tap_enable() < 0 || ct_gate_tap() != CT_TAP_ALONE) {
        fputs("bench-emit-tap: no session wants ctrace:region_begin\n", stderr);
        return 1;
    }
    name = ct_string("a region");
    bench_alternate(all, 1, rounds, 100000, 20);
    bench_print("emit.lttng.active", bench_min(&with, rounds), "ns");
    return 0;
}

int main(int argc, char **argv)
{
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);

    bench_pin();
    if (argc == 3 && strcmp(argv[1], "idle") == 0)
        return idle(argv[2], rounds);
    if (argc == 2 && strcmp(argv[1], "active") == 0)
        return active(rounds);
    fputs("usage: bench-emit-tap idle FILE | active\n", stderr);
    return 2;
}
