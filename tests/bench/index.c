/*
 * How fast an index is built, how large it is, how long tiles take, and what it costs to ask while it is built:
 * bench-index TRACE FOLDER NAME [ask | cold].  Prints lines of the form NAME.WHAT VALUE UNIT, and budgets.  A first run builds
 * the index, a second finds it in the folder; with `cold` too, when neither is in memory, and with `ask` it is built once more and
 * asked all the time.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "converter/index/query.h"

enum { TILES = 2000, REPLIES = 400, ROWS = 48 };

static const char *prefix;

static void most(const char *what, double value, const char *unit, double budget)
{
    char name[100];

    snprintf(name, sizeof name, "%s.%s", prefix, what);
    if (budget > 0)
        bench_print_most(name, value, unit, budget);
    else
        bench_print(name, value, unit);
}

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int open_trace(void *context, struct ct_reader **ret, struct ct_error *err)
{
    struct ct_read_input input = { .path = context, .fd = -1 };
    struct ct_reader_options options = { .ahead = sysconf(_SC_NPROCESSORS_ONLN) > 1 };

    return ct_reader_open(&input, 1, &options, ret, err);
}

static void close_trace(void *context, struct ct_reader *reader)
{
    (void)context;
    ct_reader_close(reader);
}

static int by_size(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;

    return d < 0 ? -1 : d > 0;
}

/* Megabytes of memory that no file backs. */
static double anonymous(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %lf", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib / 1024;
}

struct view {
    uint32_t rows, lanes;
    unsigned levels;
    int64_t span;
};

/* What can be asked by now; false: nothing. */
static bool look(struct ct_index *index, struct view *ret)
{
    struct ct_index_lanes lanes;
    struct ct_index_meta meta;

    *ret = (struct view){ 0 };
    if (ct_index_lanes(index, &lanes) < 0)
        return false;
    ret->lanes = (uint32_t)lanes.count;
    for (size_t i = 0; i < lanes.count; i++)
        ret->rows += (uint32_t)lanes.lanes[i].row_count;
    ct_index_free(lanes.memory);
    if (ct_index_meta(index, &meta) < 0)
        return false;
    ret->span = meta.span_ns;
    ct_index_free(meta.memory);
    while (INT64_C(1024) << ret->levels < ret->span)
        ret->levels++;
    return ret->rows > 0;
}

/* The seconds that rows [from, from + rows) of a tile of that level take. */
static double reply(struct ct_index *index, const struct view *v, clockid_t clock, uint32_t from, uint32_t rows, unsigned level)
{
    static struct ct_index_tile tile;
    uint64_t number = (uint64_t)rand() % ((uint64_t)v->span / (UINT64_C(1024) << level) + 1);
    double start = now(clock);

    for (uint32_t row = from; row < from + rows && row < v->rows; row++)
        if (ct_index_tile(index, row, level, number, &tile) < 0)
            exit(1);
    return now(clock) - start;
}

/* Random tiles of random levels: of single rows, and of as many as a page shows. */
static void tiles(struct ct_index *index)
{
    static double took[TILES], again[REPLIES];
    struct view v;

    if (!look(index, &v))
        exit(1);
    for (unsigned i = 0; i < TILES; i++)
        took[i] = reply(index, &v, CLOCK_THREAD_CPUTIME_ID, (uint32_t)rand() % v.rows, 1, v.levels - (unsigned)rand() % (v.levels + 1));
    qsort(took, TILES, sizeof *took, by_size);
    most("tile_row_p50", took[TILES / 2] * 1e3, "ms", 0);
    most("tile_row_p95", took[TILES * 95 / 100] * 1e3, "ms", 0);
    for (unsigned i = 0; i < REPLIES; i++)
        again[i] = reply(index, &v, CLOCK_THREAD_CPUTIME_ID, v.rows > ROWS ? (uint32_t)rand() % (v.rows - ROWS + 1) : 0, ROWS,
                         v.levels - (unsigned)rand() % (v.levels + 1));
    qsort(again, REPLIES, sizeof *again, by_size);
    most("tile_p95", again[REPLIES * 95 / 100] * 1e3, "ms", 5);
    most("rows", v.rows, "rows", 0);
    most("lanes", v.lanes, "lanes", 0);
}

/* A page that looks while the index is built: it shows all of the trace at first, then this and that. */
static void ask(struct ct_index *index, double began)
{
    static double took[REPLIES];
    struct ct_index_progress p;
    double memory = 0, first = 0;
    unsigned count = 0;
    struct view v;

    for (;;) {
        double all = anonymous();

        ct_index_progress(index, &p);
        if (p.state != CT_INDEX_BUILDING)
            break;
        memory = all > memory ? all : memory;
        if (look(index, &v)) {
            double one = reply(index, &v, CLOCK_MONOTONIC, 0, ROWS, first > 0 ? (unsigned)rand() % (v.levels + 1) : v.levels);

            first = first > 0 ? first : now(CLOCK_MONOTONIC) - began;
            took[count++ % REPLIES] = one;
        }
        usleep(first > 0 ? 20000 : 100);
    }
    count = count < REPLIES ? count : REPLIES;
    if (count == 0)
        exit(1);
    qsort(took, count, sizeof *took, by_size);
    most("building_first", first, "s", 2);
    most("building_tile_p95", took[count * 95 / 100] * 1e3, "ms", 0);
    most("building_memory", memory, "MB", 500);
}

/* What the page cache has of a file goes. */
static void drop(const char *folder, const char *name)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        perror(path);
    if (fd >= 0)
        close(fd);
}

static void drop_all(const char *trace, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            drop(folder, entry->d_name);
    if (dir)
        closedir(dir);
    drop("", trace);
}

/* The first picture: all of the trace, as many rows as a page shows. */
static void first(struct ct_index *index, double opened)
{
    struct view v;

    if (!look(index, &v))
        exit(1);
    most("cold_open", opened, "s", 0);
    most("cold_first", opened + reply(index, &v, CLOCK_MONOTONIC, 0, ROWS, v.levels), "s", 2);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "";
    bool asks = argc > 4 && strcmp(argv[4], "ask") == 0, cold = argc > 4 && !asks;
    struct ct_index_source source = { .paths = &path, .count = 1, .open = open_trace, .close = close_trace,
                                      .context = (void *)path };
    struct ct_index_options options = { .folder = argc > 2 ? argv[2] : NULL, .forget = argc < 3 || asks };
    struct ct_index_progress p;
    struct ct_index_meta meta;
    struct ct_index *index;
    struct ct_error err;
    double wall, cpu;

    prefix = argc > 3 ? argv[3] : "view";
    if (cold)
        drop_all(path, argv[2]);
    wall = now(CLOCK_MONOTONIC);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    if (ct_index_open(&source, &options, &index, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    if (asks) {
        ask(index, wall);
        ct_index_close(index);
        return 0;
    }
    ct_index_wait(index);
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    ct_index_progress(index, &p);
    if (p.state != CT_INDEX_READY || ct_index_meta(index, &meta) < 0) {
        fprintf(stderr, "%s\n", p.error);
        return 1;
    }
    if (cold) {
        first(index, wall);
    } else if (p.from_file) {
        most("open_warm", wall, "s", 0.3);
        most("memory", anonymous(), "MB", 500);
    } else {
        char name[100];

        snprintf(name, sizeof name, "%s.index", prefix);
        bench_print_least(name, (double)meta.events / wall / 1e6, "Mevents/s", 12.5);
        most("index_cpu", cpu / (double)meta.events * 1e9, "ns", 0);
        most("index_bytes", (double)p.bytes / (double)meta.bytes, "x", 2.5);
    }
    ct_index_free(meta.memory);
    if (!cold)
        tiles(index);
    ct_index_close(index);
    return 0;
}
