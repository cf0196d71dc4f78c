/*
 * exec.true: what the recorder adds to the start and end of a small program.
 *
 *   bench-exec NAME LIBRARY BUDGET      preloaded, and nobody listens
 *   ctrace record -- bench-exec NAME    as a child that is recorded
 */
#include "bench.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 20 };                     /* starts that make one round */

static char *program[] = { "/bin/true", NULL };
static char **with, *without[4096];

static void start(char **environment)
{
    int status, r;
    pid_t pid;

    r = posix_spawn(&pid, program[0], NULL, NULL, program, environment);
    if (r != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "bench-exec: %s: %s\n", program[0], strerror(r ? r : errno));
        exit(1);
    }
}

static void run_alone(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        start(without);
}

static void run_preloaded(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        start(with);
}

static void choose_environments(const char *library)
{
    extern char **environ;
    static char *preloaded[4096], preload[4096];
    size_t count = 0;

    for (char **at = environ; *at && count < 4000; at++)
        if (strncmp(*at, "LD_PRELOAD=", 11) != 0)
            without[count++] = *at;
    with = environ;
    if (!library)
        return;
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    memcpy(preloaded, without, count * sizeof *preloaded);
    preloaded[count] = preload;
    with = preloaded;
}

int main(int argc, char **argv)
{
    static struct bench alone = { .run = run_alone }, preloaded = { .run = run_preloaded };
    struct bench *both[] = { &alone, &preloaded };
    unsigned rounds = (unsigned)bench_setting("BENCH_ROUNDS", 41);
    char name[64];

    if (argc != 2 && argc != 4)
        return 2;
    choose_environments(argc == 4 ? argv[2] : NULL);
    bench_pin();
    bench_alternate(both, 2, rounds, EACH, 0);
    snprintf(name, sizeof name, "%s.alone", argv[1]);
    bench_print(name, bench_min(&alone, rounds) / 1e3, "us");
    if (argc == 4)
        bench_print_most(argv[1], (bench_min(&preloaded, rounds) - bench_min(&alone, rounds)) / 1e3, "us", atof(argv[3]));
    else
        bench_print(argv[1], (bench_min(&preloaded, rounds) - bench_min(&alone, rounds)) / 1e3, "us");
    return 0;
}
