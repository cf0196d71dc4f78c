/*
 * A program with a collector of its own tells when it pauses, and runs with or without ctrace.
 *
 *     cc collector.c $(pkg-config --cflags --libs ctrace) && ./a.out          records its pauses
 *     cc -DTRACE_WEAK collector.c $(pkg-config --cflags ctrace) && ./a.out    needs no ctrace to run
 *
 * The pauses stand in a row of their own, beside the threads that wait for them.
 */
#include <ctrace.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 20000, ROUNDS = 50, LIMIT = 4 };

struct cell {
    struct cell *next;
    int live;
};

static struct cell *heap;
static int64_t cells;

static void add_cell(int live)
{
    struct cell *cell = malloc(sizeof *cell);

    if (!cell)
        abort();
    *cell = (struct cell){ heap, live };
    heap = cell;
    cells++;
}

static void sweep(void)
{
    trace_gc_begin("sweep");
    for (struct cell **at = &heap; *at;) {
        struct cell *cell = *at;

        if (cell->live) {
            at = &cell->next;
        } else {
            *at = cell->next;
            free(cell);
            cells--;
        }
    }
    trace_gc_end("sweep");
    trace_counter("cells", cells);
}

int main(int argc, char **argv)
{
    trace_start(argc > 1 ? argv[1] : "collector.trace");
    for (int round = 0; round < ROUNDS; round++) {
        trace_region_begin("mutate");
        for (int i = 0; i < CELLS / ROUNDS; i++)
            add_cell(i % LIMIT == 0);
        trace_region_end();
        sweep();
    }
    trace_stop();
    printf("%ld cells live\n", (long)cells);
    for (struct cell *cell = heap, *next; cell; cell = next) {
        next = cell->next;
        free(cell);
    }
    return cells == CELLS / LIMIT ? 0 : 1;
}
