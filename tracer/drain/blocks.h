/* Blocks of a trace file in the making: rows go in, whole blocks with their checksums come out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/buffer.h"
#include "format/file.h"

enum {
    CT_BLOCKS_ROOM = 1 << 20,       /* bytes gathered before they are handed on */
    CT_BLOCKS_SPLIT = 256 << 10,    /* a block of rows is ended when it is this long */
};

/* Takes whole blocks, all of one generation.  Borrowed until it returns. */
typedef void ct_blocks_sink(void *context, const uint8_t *blocks, size_t size, uint32_t generation);

struct ct_blocks {
    uint8_t *memory;
    size_t whole;                   /* bytes of ended blocks */
    struct ct_buffer rows;          /* payload of the open block */
    struct ct_block_head head;      /* of the open block */
    bool open;
    uint32_t generation;            /* of the ended blocks */
    ct_blocks_sink *sink;
    void *context;
};

/* Returns 0 or -ENOMEM. */
int ct_blocks_init(struct ct_blocks *b, ct_blocks_sink *sink, void *context);
/* What was not flushed is dropped.  Takes a zeroed one. */
void ct_blocks_fini(struct ct_blocks *b);

/* Opens a block; the one before must be ended. */
void ct_blocks_begin(struct ct_blocks *b, enum ct_block_type type, unsigned flags, uint32_t generation);
/* Where the next row of at most `most` (<= 128 KiB) bytes goes; ends a long block and opens another like it. */
struct ct_buffer *ct_blocks_row(struct ct_blocks *b, size_t most);
/* Ends the block; one without payload leaves nothing. */
void ct_blocks_end(struct ct_blocks *b);
/* Hands all ended blocks to the sink. */
void ct_blocks_flush(struct ct_blocks *b);

/* Fills in the head of a block whose payload of `size` bytes stands behind it, and writes it to `at`. */
void ct_block_head_put(uint8_t *at, struct ct_block_head *head, size_t size);

/* A block of one row: ct_blocks_one(b, GENERATION, flags, number, generation, &row). */
#define ct_blocks_one(b, TYPE, flags, number, name, row) \
    do { \
        ct_blocks_begin(b, CT_BLOCK_##TYPE, flags, number); \
        ct_##name##_put(ct_blocks_row(b, 64 << 10), row); \
        ct_blocks_end(b); \
    } while (0)

/* The largest whole number of blocks within the first `size` bytes of `blocks`, in bytes. */
size_t ct_blocks_whole(const uint8_t *blocks, size_t size);
