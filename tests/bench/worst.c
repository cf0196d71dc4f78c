/*
 * emit.worst: emits that took more than 100 us while their thread was not switched out, against what a loop that only
 * reads the TSC sees; a process beside it writes to the same disk and fsyncs all the time.
 *
 * The two loops take turns of 50 ms on one thread, so both meet the same interrupts and neighbours.  What the host
 * steals looks the same to both.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/emit.h"
#include "recording.h"

enum { TURN_NS = 50000000, LONG_NS = 100000, APART_NS = 1000, REFRESH_NS = 1000000 };

/* What one of the loops has seen. */
struct tally {
    uint64_t reads, gaps, worst, switched;      /* gaps in which the thread was not switched out; worst in TSC cycles */
    uint64_t emits;
};

static double cycles_per_ns;

static uint64_t switches(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static void measure_clock(void)
{
    uint64_t ns = bench_now_ns(), cycles = __builtin_ia32_rdtsc();

    bench_sleep_ms(100);
    cycles_per_ns = (double)(__builtin_ia32_rdtsc() - cycles) / (double)(bench_now_ns() - ns);
}

/* One turn.  The count of switches is refreshed each ms, so that a gap is excused only by a switch of about then. */
static __attribute__((always_inline)) inline void turn(struct tally *t, bool emits)
{
    const uint64_t length = (uint64_t)(LONG_NS * cycles_per_ns), apart = (uint64_t)(APART_NS * cycles_per_ns);
    const uint64_t refresh = (uint64_t)(REFRESH_NS * cycles_per_ns);
    uint64_t seen = switches(), last = __builtin_ia32_rdtsc();
    uint64_t end = last + (uint64_t)(TURN_NS * cycles_per_ns), refreshed = last, emitted = last;

    while (last < end) {
        uint64_t now, gap;

        if (emits && last - emitted > apart) {
            if (ct_gate_open())
                EMIT(MARK, .name = 9);
            emitted = last;
            t->emits++;
        }
        now = __builtin_ia32_rdtsc();
        gap = now - last;
        t->reads++;
        last = now;
        if (__builtin_expect(gap > length, 0)) {
            uint64_t count = switches();

            if (count == seen) {
                t->gaps++;
                if (gap > t->worst)
                    t->worst = gap;
            } else {
                t->switched++;
            }
            seen = count;
            last = refreshed = __builtin_ia32_rdtsc();
        } else if (now - refreshed > refresh) {
            seen = switches();
            last = refreshed = __builtin_ia32_rdtsc();
        }
    }
}

static __attribute__((noinline)) void turn_emitting(struct tally *t) { turn(t, true); }
static __attribute__((noinline)) void turn_bare(struct tally *t) { turn(t, false); }

/* A process that keeps the disk busy until it is killed, or we are. */
static pid_t load_disk(const char *folder)
{
    static char block[1 << 20];
    char path[4096];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(path, sizeof(path), "%s/worst.load", folder);
    for (unsigned i = 0;; i++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        memset(block, (int)i, sizeof(block));
        if (fd < 0 || pwrite(fd, block, sizeof(block), (off_t)(i % 64) << 20) < 0 || fsync(fd) < 0) {
            fprintf(stderr, "emit.worst: %s: %s\n", path, strerror(errno));
            _exit(1);
        }
        close(fd);
    }
}

static void remove_file(const char *folder, const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

int main(int argc, char **argv)
{
    uint64_t seconds = bench_setting("BENCH_SECONDS", 60);
    struct tally emitting = { 0 }, bare = { 0 };
    char path[4096];
    pid_t load;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-worst FOLDER\n");
        return 2;
    }
    load = load_disk(argv[1]);
    if (load < 0)
        return 1;
    measure_clock();
    bench_pin();
    snprintf(path, sizeof(path), "%s/worst.trace", argv[1]);
    recording_start(path, 0);
    for (uint64_t i = 0; i < seconds * 1000000000 / TURN_NS; i++) {
        turn_emitting(&emitting);
        turn_bare(&bare);
    }
    bench_print_most("emit.worst.lost", (double)recording_stop(), "events", 0);
    if (waitpid(load, NULL, WNOHANG) != 0) {
        fprintf(stderr, "emit.worst: the load on the disk ended early\n");
        return 1;
    }
    kill(load, SIGKILL);
    waitpid(load, NULL, 0);
    remove_file(argv[1], "worst.load");
    remove_file(argv[1], "worst.trace");
    bench_print("emit.worst.emits", (double)emitting.emits, "events");
    bench_print("emit.worst.longest", (double)emitting.worst / cycles_per_ns / 1000, "us");
    bench_print("emit.worst.bare_longest", (double)bare.worst / cycles_per_ns / 1000, "us");
    bench_print("emit.worst.switched", (double)emitting.switched, "gaps");
    bench_print("emit.worst.bare", (double)bare.gaps, "gaps");
    /* Two counts of the same rare thing differ by chance: by the square root of their sum, and twice that seldom. */
    bench_print_most("emit.worst", (double)emitting.gaps, "gaps",
                     (double)bare.gaps + floor(2 * sqrt((double)(emitting.gaps + bare.gaps))));
    return 0;
}
