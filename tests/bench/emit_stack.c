/*
 * emit.stack16: what an event with a stack of 16 frames costs, warm, in code without frame pointers: clock, unwinding,
 * interning and the event's bytes.
 */
#include "bench.h"

#include "record/emit.h"
#include "record/intern.h"
#include "record/session_state.h"
#include "recording.h"

enum { FRAMES = 16 };

static void with_stack(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (ct_gate_open())
            EMIT(GC_BEGIN, .kind = 9, .at = ct_stack_here());
}

static void without_stack(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (ct_gate_open())
            EMIT(GC_BEGIN, .kind = 9, .at = 7);
}

/* A chain of functions of different frame sizes, none a tail call; `bottom` is what is measured. */
static void (*bottom)(uint64_t n);

#define LINK(number, callee, bytes)                                                                     \
    static __attribute__((noinline, optimize("omit-frame-pointer"))) void link##number(uint64_t n)      \
    {                                                                                                   \
        char room[bytes];                                                                               \
                                                                                                        \
        asm volatile("" : : "r"(room) : "memory");                                                      \
        callee(n);                                                                                      \
        asm volatile("" : : "r"(room) : "memory");                                                      \
    }

LINK(1, bottom, 8)
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

static void run_with(uint64_t n)
{
    bottom = with_stack;
    link16(n);
}

static void run_without(uint64_t n)
{
    bottom = without_stack;
    link16(n);
}

int main(int argc, char **argv)
{
    static struct bench empty = { .name = "empty", .run = bench_run_empty };
    static struct bench with = { .name = "emit.stack16", .run = run_with }, without = { .run = run_without };
    struct bench *all[] = { &empty, &with, &without };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 21);

    if (argc != 2) {
        fprintf(stderr, "usage: bench-emit-stack FILE\n");
        return 2;
    }
    bench_pin();
    recording_start(argv[1], 64 << 20);
    ct_options.depth = FRAMES;
    if (getenv("BENCH_STEPS")) {
        bench_steps(all, 2, 10000);
        recording_stop();
        return 0;
    }
    bench_alternate(all, 3, rounds, 200000, 20);
    recording_stop();
    bench_print_most("emit.stack16", bench_min(&with, rounds), "ns", 75);
    bench_print("emit.stack16.stack", bench_min(&with, rounds) - bench_min(&without, rounds), "ns");
    return 0;
}
