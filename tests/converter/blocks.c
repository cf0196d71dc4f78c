/* Writing single blocks for tests. */
#include "blocks.h"

#include <stdlib.h>
#include <zlib.h>

void blocks_put(struct blocks *b, unsigned type, unsigned generation, unsigned flags)
{
    struct ct_block_head head = { CT_BLOCK_MAGIC, (uint16_t)type, (uint16_t)flags, (uint32_t)ct_buffer_used(&b->row),
                                  generation, 0 };
    uLong crc = crc32(0, (const Bytef *)&head, 16);

    head.crc = (uint32_t)crc32(crc, b->payload, head.size);
    if (b->row.full || b->size + sizeof head + head.size > sizeof b->bytes)
        abort();
    memcpy(b->bytes + b->size, &head, sizeof head);
    memcpy(b->bytes + b->size + sizeof head, b->payload, head.size);
    b->size += sizeof head + head.size;
    b->row = ct_buffer_over(b->payload, sizeof b->payload);
}

void blocks_begin(struct blocks *b, const char *arena, bool head)
{
    struct ct_file_head file = { CT_FILE_MAGIC, CT_FORMAT_MAJOR, CT_FORMAT_MINOR, 0 };
    struct ct_run run = { .clock = CT_CLOCK_MONOTONIC, .ticks_per_second = 1000000000, .program = { "made", 4 } };

    b->size = 0;
    b->row = ct_buffer_over(b->payload, sizeof b->payload);
    if (head) {
        memcpy(b->bytes, &file, sizeof file);
        b->size = sizeof file;
    }
    memcpy(run.arena_id, arena, strlen(arena));
    ct_run_put(&b->row, &run);
    blocks_put(b, CT_BLOCK_RUN, 0, 0);
    ct_schema_put(&b->row);
    blocks_put(b, CT_BLOCK_SCHEMA, 0, 0);
}

void blocks_generation(struct blocks *b, unsigned generation, uint64_t start)
{
    ct_generation_put(&b->row, &(struct ct_generation){ .clock = { start, start, start } });
    blocks_put(b, CT_BLOCK_GENERATION, generation, 0);
}

void blocks_generation_end(struct blocks *b, unsigned generation, uint64_t end)
{
    ct_generation_end_put(&b->row, &(struct ct_generation_end){ .clock = { end, end, end } });
    blocks_put(b, CT_BLOCK_GENERATION_END, generation, 0);
}

void blocks_end(struct blocks *b)
{
    ct_end_put(&b->row, &(struct ct_end){ .reason = CT_END_EXIT });
    blocks_put(b, CT_BLOCK_END, 0, 0);
}

uint64_t blocks_marks(struct blocks *b, unsigned generation, const struct ct_batch_piece *piece, unsigned count,
                      uint64_t step, uint64_t first_id, unsigned flags)
{
    const uint8_t *first;
    uint64_t size;

    ct_batch_piece_put(&b->row, piece);
    first = b->row.at;
    for (unsigned i = 0; i < count; i++) {
        struct ct_event event = { .no = CT_EV_MARK, .ticks = step, .arg = { first_id + i } };

        b->row.at = ct_event_put(b->row.at, ct_schema_event(CT_EV_MARK), 0, &event);
    }
    size = (uint64_t)(b->row.at - first);
    blocks_put(b, CT_BLOCK_BATCH, generation, flags);
    return size;
}
