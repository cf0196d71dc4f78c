/* How far a conversion is, for who waits at a terminal. */
#include "viewer/convert_progress.h"

#include <stdio.h>
#include <unistd.h>

enum { PROGRESS_ITEMS = 65536 };        /* between two looks at the clock, and at whether the output still takes bytes */

static void say(struct ct_progress *p, int64_t ns)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < p->next.tv_sec || (now.tv_sec == p->next.tv_sec && now.tv_nsec < p->next.tv_nsec))
        return;
    p->next = now;
    p->next.tv_nsec += 200000000;
    if (p->next.tv_nsec >= 1000000000) {
        p->next.tv_nsec -= 1000000000;
        p->next.tv_sec++;
    }
    fprintf(stderr, "\rconverting: %3.0f %%", p->end_ns > 0 && ns > 0 ? 100.0 * (double)ns / (double)p->end_ns : 0.0);
}

void ct_progress_begin(struct ct_progress *p, const struct ct_reader *reader, int64_t to_ns)
{
    *p = (struct ct_progress){ .on = isatty(STDERR_FILENO), .end_ns = ct_reader_end_ns(reader) };
    if (p->end_ns > to_ns)
        p->end_ns = to_ns;
    clock_gettime(CLOCK_MONOTONIC, &p->next);
    p->next.tv_sec++;                   /* what is done within a second needs none */
}

bool ct_progress_items(struct ct_progress *p, size_t count, int64_t ns)
{
    uint64_t before = p->items / PROGRESS_ITEMS;

    p->items += count;
    if (p->items / PROGRESS_ITEMS == before)
        return false;
    if (p->on)
        say(p, ns);
    return true;
}

void ct_progress_end(const struct ct_progress *p)
{
    if (p->on && p->items >= PROGRESS_ITEMS)
        fputs("\r                   \r", stderr);
}
