/* A program of small cases: `PROGRAM` lists them, `PROGRAM CASE` runs one.  What a case prints must not differ when traced. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

/* Prints "what: ENAME" for what the expression returned (0 and errors of pthread_*), or that and errno. */
#define SHOW(expression) printf("%s: %s\n", #expression, error_name(expression))
#define SHOW_ERRNO(expression) \
    do { \
        errno = 4711; \
        long shown = (long)(expression); \
        int after = errno; \
        printf("%s: %ld, errno %s\n", #expression, shown, after == 4711 ? "untouched" : error_name(after)); \
    } while (0)

static inline const char *error_name(int error)
{
    return error == 0 ? "0" : strerrorname_np(error) ? strerrorname_np(error) : "?";
}

static inline struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static inline void pause_ms(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

/* To another CPU, if there is one. */
static inline void move_on(void)
{
    static cpu_set_t all;
    static int last;
    cpu_set_t one;

    if (CPU_COUNT(&all) == 0)
        sched_getaffinity(0, sizeof all, &all);
    do
        last = (last + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(last, &all));
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static inline int run_cases(int argc, char **argv, const struct test_case *cases, size_t count)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < count; i++) {
        if (argc < 2)
            puts(cases[i].name);
        else if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    }
    return 0;
}

#define CASES(...) \
    int main(int argc, char **argv) \
    { \
        static const struct test_case cases[] = { __VA_ARGS__ }; \
        return run_cases(argc, argv, cases, sizeof cases / sizeof *cases); \
    }
