/* A trace made block by block, for what text cannot say: pieces, duplicates, order in the file. */
#pragma once

#include "format/event.h"
#include "format/file.h"
#include "format/tables.h"

struct blocks {
    uint8_t bytes[1 << 16];
    size_t size;
    struct ct_buffer row;               /* payload of the block under way */
    uint8_t payload[1 << 14];
};

void blocks_begin(struct blocks *b, const char *arena, bool head);
/* Ends the payload that was put into b->row as one block. */
void blocks_put(struct blocks *b, unsigned type, unsigned generation, unsigned flags);
void blocks_generation(struct blocks *b, unsigned generation, uint64_t start);
void blocks_generation_end(struct blocks *b, unsigned generation, uint64_t end);
void blocks_end(struct blocks *b);

/* A piece of MARK events, `step` ticks apart, whose `name` ids count from `first_id`.  Returns its bytes. */
uint64_t blocks_marks(struct blocks *b, unsigned generation, const struct ct_batch_piece *piece, unsigned count,
                      uint64_t step, uint64_t first_id, unsigned flags);
