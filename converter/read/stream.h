/* The events of one thread within one generation, in order, decoded some at a time. */
#pragma once

#include "converter/read/clock.h"
#include "converter/read/reader.h"
#include "format/cursor.h"

struct ct_loaded;

/* A run of whole events that stood in one BATCH block. */
struct ct_piece {
    const uint8_t *bytes;
    uint64_t file_offset;               /* of `bytes` */
    uint64_t batch, offset, base_ticks;
    struct ct_read_thread *thread;
    uint32_t size;
    uint16_t segment;
    uint16_t nested;
};

struct ct_stream {
    struct ct_cursor at;                /* the event to come: */
    const uint8_t *body;                /* its fields, */
    const struct ct_read_plan *plan;    /* how they are coded, */
    int64_t ns;                         /* and its time on the timeline */
    uint64_t ticks;                     /* the same moment; what the next piece must go on from, as are the two below */
    uint64_t batch, offset;
    struct ct_clock_span span;
    const struct ct_read_plans *plans;  /* of the program, as are the clock and what to add to its times */
    const struct ct_read_clock *clock;
    int64_t shift_ns;
    struct ct_loaded *loaded;
    struct ct_read_thread *thread;
    const struct ct_piece *piece, *piece_end;   /* the piece after the one under `at` */
    uint64_t rank;                      /* decides at the same time: program, generation, thread, handler;
                                           so the order is a property of the trace alone */
    uint16_t segment;                   /* of the piece under `at` */
    bool nested, in_batch;              /* in_batch: `batch`, `offset`, `ticks` are valid */
};

/* Orders the pieces of a generation by thread, batch and offset. */
int ct_piece_order(const void *a, const void *b);

/* Goes to the first event: its time is in `ns`.  False: there is none. */
bool ct_stream_start(struct ct_stream *stream);

enum { CT_STREAM_TAKEN = 1, CT_STREAM_MORE = 2 };

/*
 * Decodes the event to come into `item` - kind and generation are the caller's - and goes to the next.
 * Returns TAKEN, or not (it is malformed: damage was noted), and MORE when another follows.
 */
unsigned ct_stream_take(struct ct_stream *stream, struct ct_read_item *item);
