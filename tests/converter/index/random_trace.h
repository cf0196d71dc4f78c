/* Traces that no recorder would write, but that are traces: any events in any order. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random_trace {
    unsigned seed, threads, events;
    unsigned generations;               /* at least 1 */
    unsigned first;                     /* earlier ones are left out, as a ring loses them */
    uint64_t idle_ns;                   /* between two generations */
    int64_t jump_ns;                    /* of the wall clock, between two generations */
    unsigned long_calls;                /* of 16 events: calls that began before what came before them */
    unsigned short_calls;               /* of 16 events: calls that took some ns, and began after the event before */
    unsigned nested;                    /* of 16 events: regions */
};

/* The text of it; caller frees. */
char *random_trace_text(const struct random_trace *how, size_t *ret_size);
/* The bytes; caller frees. */
char *random_trace_bytes(const struct random_trace *how, size_t *ret_size);
