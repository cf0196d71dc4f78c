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
    struct ct_loaded *loaded;
    struct ct_read_thread *thread;
    const struct ct_piece *piece, *piece_end;   /* the piece after the one under `at` */
    struct ct_cursor at;
    uint16_t segment;                   /* of the piece under `at` */
    bool nested, ended;
    bool in_batch;                      /* `batch`, `offset`, `ticks` are valid */
    uint64_t batch, offset, ticks;      /* what the next piece must go on from */
    uint64_t rank;                      /* see struct ct_merge_node */
    struct ct_clock_span span;
    struct ct_read_item *items;         /* decoded, not yet delivered: [taken, filled) */
    uint32_t taken, filled, room;
};

/* Orders the pieces of a generation by thread, batch and offset. */
int ct_piece_order(const void *a, const void *b);

/* Decodes some more events; `taken` is 0 after it.  0 (filled may be 0: the end), or -ENOMEM. */
int ct_stream_fill(struct ct_stream *stream);

/* The next event without taking it, or NULL at the end; `*r` is 0 or -ENOMEM. */
static inline struct ct_read_item *ct_stream_peek(struct ct_stream *stream, int *r)
{
    *r = 0;
    if (stream->taken == stream->filled) {
        if (stream->ended || (*r = ct_stream_fill(stream)) < 0 || stream->filled == 0)
            return NULL;
    }
    return &stream->items[stream->taken];
}
