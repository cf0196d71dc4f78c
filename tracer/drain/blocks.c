/* Blocks are built in one buffer, one after the other, and handed on when it is full. */
#include "drain/blocks.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "drain/pages.h"

int ct_blocks_init(struct ct_blocks *b, ct_blocks_sink *sink, void *context)
{
    uint8_t *memory = ct_pages_new(CT_BLOCKS_ROOM);

    if (!memory)
        return -ENOMEM;
    *b = (struct ct_blocks){ .memory = memory, .sink = sink, .context = context };
    return 0;
}

void ct_blocks_fini(struct ct_blocks *b)
{
    ct_pages_free(b->memory, CT_BLOCKS_ROOM);
    *b = (struct ct_blocks){ 0 };
}

void ct_blocks_flush(struct ct_blocks *b)
{
    if (b->whole)
        b->sink(b->context, b->memory, b->whole, b->generation);
    b->whole = 0;
}

void ct_blocks_begin(struct ct_blocks *b, enum ct_block_type type, unsigned flags, uint32_t generation)
{
    uint8_t *payload;

    assert(!b->open);
    if (b->generation != generation || CT_BLOCKS_ROOM - b->whole < CT_BLOCKS_ROOM / 2)
        ct_blocks_flush(b);
    b->generation = generation;
    b->head = (struct ct_block_head){ .magic = CT_BLOCK_MAGIC, .type = (uint16_t)type, .flags = (uint16_t)flags,
                                      .generation = generation };
    payload = b->memory + b->whole + sizeof b->head;
    b->rows = ct_buffer_over(payload, (size_t)(b->memory + CT_BLOCKS_ROOM - payload));
    b->open = true;
}

struct ct_buffer *ct_blocks_row(struct ct_blocks *b, size_t most)
{
    assert(b->open);
    if (ct_buffer_used(&b->rows) > CT_BLOCKS_SPLIT || (size_t)(b->rows.end - b->rows.at) < most) {
        struct ct_block_head head = b->head;

        ct_blocks_end(b);
        ct_blocks_begin(b, head.type, head.flags, head.generation);
    }
    return &b->rows;
}

void ct_block_head_put(uint8_t *at, struct ct_block_head *head, size_t size)
{
    head->size = (uint32_t)size;
    head->crc = (uint32_t)crc32(crc32(0, (const Bytef *)head, offsetof(struct ct_block_head, crc)), at + sizeof *head,
                                (uInt)size);
    memcpy(at, head, sizeof *head);
}

void ct_blocks_end(struct ct_blocks *b)
{
    size_t size = ct_buffer_used(&b->rows);
    uint8_t *at = b->memory + b->whole;

    assert(b->open && !b->rows.full);
    b->open = false;
    if (size == 0)
        return;
    ct_block_head_put(at, &b->head, size);
    b->whole += sizeof b->head + size;
}

size_t ct_blocks_whole(const uint8_t *blocks, size_t size)
{
    size_t at = 0;
    struct ct_block_head head;

    while (size - at >= sizeof head) {
        memcpy(&head, blocks + at, sizeof head);
        if (head.size > size - at - sizeof head)
            break;
        at += sizeof head + head.size;
    }
    return at;
}
