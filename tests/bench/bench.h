/* What every benchmark needs: a clock, a CPU to stay on, alternating runs, and lines `NAME VALUE UNIT`. */
#pragma once

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_ROUNDS_MAX = 200 };

/* One thing that is measured; `run(n)` does it `n` times. */
struct bench {
    const char *name;
    void (*run)(uint64_t n);
    double ns[BENCH_ROUNDS_MAX];        /* per repetition, one entry a round */
};

static inline uint64_t bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline void bench_sleep_ms(unsigned ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

/* Keeps the calling thread on the last CPU; drainers and daemons get the others. */
static inline void bench_pin(void)
{
    cpu_set_t all, one;
    int last = -1;

    sched_getaffinity(0, sizeof(all), &all);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all))
            last = cpu;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

static inline uint64_t bench_setting(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static inline double bench_median(const double *values, unsigned n)
{
    double sorted[BENCH_ROUNDS_MAX];

    memcpy(sorted, values, n * sizeof(*values));
    qsort(sorted, n, sizeof(*sorted), bench_compare);
    return n & 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static inline double bench_min(const struct bench *b, unsigned rounds)
{
    double least = b->ns[0];

    for (unsigned r = 1; r < rounds; r++)
        if (b->ns[r] < least)
            least = b->ns[r];
    return least;
}

/* Median over the rounds of a's time by b's in the same round: what the machine does to both drops out. */
static inline double bench_ratio(const struct bench *a, const struct bench *b, unsigned rounds)
{
    double ratios[BENCH_ROUNDS_MAX];

    for (unsigned r = 0; r < rounds; r++)
        ratios[r] = a->ns[r] / b->ns[r];
    return bench_median(ratios, rounds);
}

/*
 * Runs each of `count` things `n` times a round, in turn and the other way round in every second round.  Between two
 * of them it waits `pause_ms`, in which whoever drains their events catches up.
 */
static inline void bench_alternate(struct bench **things, unsigned count, unsigned rounds, uint64_t n, unsigned pause_ms)
{
    for (unsigned i = 0; i < count; i++)
        things[i]->run(n / 8 + 1);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < count; i++) {
            struct bench *b = things[r & 1 ? count - 1 - i : i];
            uint64_t began;

            if (pause_ms)
                bench_sleep_ms(pause_ms);
            began = bench_now_ns();
            b->run(n);
            b->ns[r] = (double)(bench_now_ns() - began) / (double)n;
        }
    }
}

static inline void bench_print(const char *name, double value, const char *unit)
{
    printf("%s %.4g %s\n", name, value, unit);
    fflush(stdout);
}

/* The same with what it must not exceed (or, below, not fall short of), and whether it does. */
static inline void bench_print_most(const char *name, double value, const char *unit, double budget)
{
    printf("%s %.4g %s <=%.4g %s\n", name, value, unit, budget, value <= budget ? "ok" : "missed");
    fflush(stdout);
}

static inline void bench_print_least(const char *name, double value, const char *unit, double budget)
{
    printf("%s %.4g %s >=%.4g %s\n", name, value, unit, budget, value >= budget ? "ok" : "missed");
    fflush(stdout);
}

/*
 * Windows in which `bench-steps` counts instructions: it runs the program and steps through the thread between a
 * begin and its end.  Nobody else may run a program with BENCH_STEPS set: the marks are breakpoints.
 */
enum { BENCH_STEPS_MAGIC = 0x57e95 };

static inline void bench_steps_mark(const char *name, uint64_t n)
{
    asm volatile("int3" : : "a"(BENCH_STEPS_MAGIC), "D"(name), "S"(n) : "memory");
}

/* Does each thing `n` times within a window of its own; the first must be the empty loop, whose count is taken off. */
static inline void bench_steps(struct bench **things, unsigned count, uint64_t n)
{
    for (unsigned i = 0; i < count; i++) {
        things[i]->run(n);
        bench_steps_mark(things[i]->name, n);
        things[i]->run(n);
        bench_steps_mark(NULL, 0);
    }
}

/* The peers that stand in many benchmarks: a loop that does nothing, and one that reads the TSC. */
static inline void bench_run_empty(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        asm volatile("" : "+r"(i));
}

static inline void bench_run_tsc(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t ticks = __builtin_ia32_rdtsc();

        asm volatile("" : : "r"(ticks));
    }
}
