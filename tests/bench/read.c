/* What reading costs an event, without anything that is made of it: bench-read TRACE (as mktrace writes it). */
#include "converter/read/reader.h"

#include <stdio.h>
#include <time.h>

enum { ROUNDS = 8 };

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ns an event, or a negative number when it cannot be read. */
static double read_once(const char *path)
{
    struct ct_read_input input = { .path = path, .fd = -1 };
    const struct ct_read_item *item;
    struct ct_reader *reader;
    struct ct_error err = { 0 };
    double begin = cpu_seconds();
    unsigned long events = 0;
    int r = ct_reader_open(&input, 1, NULL, &reader, &err);

    if (r == 0) {
        while ((r = ct_reader_next(reader, &item, &err)) > 0)
            events += item->kind == CT_READ_EVENT;
        ct_reader_close(reader);
    }
    if (r == 0 && events)
        return (cpu_seconds() - begin) * 1e9 / (double)events;
    fprintf(stderr, "bench-read: %s\n", err.text);
    return -1;
}

int main(int argc, char **argv)
{
    double least = 0;

    for (int i = 0; argc == 2 && i < ROUNDS; i++) {
        double ns = read_once(argv[1]);

        if (ns < 0)
            return 1;
        if (i == 0 || ns < least)
            least = ns;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: bench-read TRACE\n");
        return 2;
    }
    printf("convert.read %.1f ns\n", least);
    return 0;
}
