/*
 * How fast an index is built, how large it is, and how much CPU time tiles take: bench-index TRACE [FOLDER].  Prints lines of the
 * form NAME VALUE UNIT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "converter/index/query.h"

enum { TILES = 2000 };

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

/* Tiles of random rows, at random places of random levels. */
static void tiles(struct ct_index *index)
{
    static struct ct_index_tile tile;
    static double took[TILES];
    struct ct_index_lanes lanes;
    struct ct_index_meta meta;
    unsigned most = 0;
    uint32_t rows = 0;

    if (ct_index_lanes(index, &lanes) < 0 || ct_index_meta(index, &meta) < 0)
        exit(1);
    for (size_t i = 0; i < lanes.count; i++)
        rows += (uint32_t)lanes.lanes[i].row_count;
    while (INT64_C(1024) << most < meta.span_ns)
        most++;
    for (unsigned i = 0; i < TILES; i++) {
        unsigned level = most - (unsigned)rand() % (most + 1);
        uint64_t count = (uint64_t)meta.span_ns / (UINT64_C(1024) << level) + 1;
        double start = now(CLOCK_THREAD_CPUTIME_ID);

        if (ct_index_tile(index, (uint32_t)rand() % rows, level, (uint64_t)rand() % count, &tile) < 0)
            exit(1);
        took[i] = now(CLOCK_THREAD_CPUTIME_ID) - start;
    }
    qsort(took, TILES, sizeof *took, by_size);
    printf("view.tile_row_p50 %.4f ms\n", took[TILES / 2] * 1e3);
    printf("view.tile_row_p95 %.4f ms\n", took[TILES * 95 / 100] * 1e3);
    for (unsigned i = 0; i < TILES / 100; i++) {        /* all rows of one tile: what a reply holds */
        unsigned level = most - (unsigned)rand() % (most + 1);
        uint64_t count = (uint64_t)meta.span_ns / (UINT64_C(1024) << level) + 1, number = (uint64_t)rand() % count;
        double start = now(CLOCK_THREAD_CPUTIME_ID);

        for (uint32_t row = 0; row < rows && row < 200; row++)
            if (ct_index_tile(index, row, level, number, &tile) < 0)
                exit(1);
        took[i] = now(CLOCK_THREAD_CPUTIME_ID) - start;
    }
    qsort(took, TILES / 100, sizeof *took, by_size);
    printf("view.tile_p95 %.3f ms (%u rows)\n", took[TILES / 100 * 95 / 100] * 1e3, rows < 200 ? rows : 200);
    ct_index_free(lanes.memory);
    ct_index_free(meta.memory);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "";
    struct ct_index_source source = { .paths = &path, .count = 1, .open = open_trace, .close = close_trace,
                                      .context = (void *)path };
    struct ct_index_options options = { .folder = argc > 2 ? argv[2] : NULL, .forget = argc < 3 };
    struct ct_index_progress p;
    struct ct_index_meta meta;
    struct ct_index *index;
    struct ct_error err;
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);

    if (ct_index_open(&source, &options, &index, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    ct_index_wait(index);
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    ct_index_progress(index, &p);
    if (p.state != CT_INDEX_READY || ct_index_meta(index, &meta) < 0) {
        fprintf(stderr, "%s\n", p.error);
        return 1;
    }
    if (p.from_file) {
        printf("view.open_warm %.4f s\n", wall);
    } else {
        printf("view.index %.3g Mevents/s (%.2f s, %.2f s of CPU)\n", (double)meta.events / wall / 1e6, wall, cpu);
        printf("view.index_bytes %.3g x (%.2f bytes an event)\n", (double)p.bytes / (double)meta.bytes,
               (double)p.bytes / (double)meta.events);
    }
    printf("view.index_memory %.0f MB\n", anonymous());
    ct_index_free(meta.memory);
    tiles(index);
    ct_index_close(index);
    return 0;
}
