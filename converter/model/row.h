/*
 * Keeps the slices of one thread nested: a viewer can draw slices on one row only when any two of them either lie apart
 * or one within the other.  Clocks tie, traces are cut and handlers interrupt, so times are moved where needed: a slice
 * starts no earlier than the end of one that it would cut, and ends no earlier than what lies in it.
 */
#pragma once

#include <stdint.h>

enum { CT_ROW_PAST = 16 };

struct ct_row {
    int64_t end;                        /* of the last slice; the next one that begins starts no earlier */
    int64_t forgotten_end;              /* of slices that are in `past` no more */
    unsigned top, count;
    struct { int64_t start, end; } past[CT_ROW_PAST];   /* a ring: slices that are closed, apart, in order */
};

/* A slice begins now: its start. */
static inline int64_t ct_row_begin(struct ct_row *row, int64_t ns)
{
    if (ns > row->end)
        row->end = ns;
    return row->end;
}

/* A slice ends now: its end. */
static inline int64_t ct_row_end(const struct ct_row *row, int64_t ns)
{
    return ns > row->end ? ns : row->end;
}

/* A slice that nobody saw begin ends now: its start, at or after `floor`, the start of the slice around it. */
static inline int64_t ct_row_start(const struct ct_row *row, int64_t start, int64_t floor)
{
    if (__builtin_expect(start >= row->end, 1))
        return start;
    if (start < floor)
        start = floor;
    if (start < row->forgotten_end)
        start = row->forgotten_end;
    for (unsigned i = 0; i < row->count; i++) {
        unsigned at = (row->top - i) % CT_ROW_PAST;

        if (row->past[at].end <= start)
            break;
        if (row->past[at].start < start)
            return row->past[at].end;
    }
    return start;
}

/* The slice is closed; what lies in it needs no more care. */
static inline void ct_row_close(struct ct_row *row, int64_t start, int64_t end)
{
    while (row->count > 0 && row->past[row->top % CT_ROW_PAST].start >= start) {
        row->top--;
        row->count--;
    }
    row->top++;
    if (row->count == CT_ROW_PAST)
        row->forgotten_end = row->past[row->top % CT_ROW_PAST].end;
    else
        row->count++;
    row->past[row->top % CT_ROW_PAST].start = start;
    row->past[row->top % CT_ROW_PAST].end = end;
    if (end > row->end)
        row->end = end;
}
