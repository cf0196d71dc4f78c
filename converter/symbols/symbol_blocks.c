/* Appending blocks to a trace: head and payload in one write, or none of it stays. */
#include "converter/symbols/symbol_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "converter/symbols/symbols.h"
#include "format/file.h"

enum {
    PAYLOAD_SPLIT = 256 << 10,
    ROW_MAX = 64 + CT_STRING_MAX + 2 * CT_PATH_MAX,
    PAYLOAD_ROOM = PAYLOAD_SPLIT + CT_SYMBOL_FRAMES_MAX * ROW_MAX,
};

int ct_symbol_blocks_init(struct ct_symbol_blocks *blocks, int fd, uint64_t end)
{
    *blocks = (struct ct_symbol_blocks){ .fd = fd, .begin = end, .end = end };
    blocks->memory = malloc(sizeof(struct ct_block_head) + PAYLOAD_ROOM);
    if (!blocks->memory)
        return -ENOMEM;
    blocks->rows = ct_buffer_over(blocks->memory + sizeof(struct ct_block_head), PAYLOAD_ROOM);
    return 0;
}

static int append(struct ct_symbol_blocks *blocks, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t r = pwrite(blocks->fd, blocks->memory + done, size - done,
                           (off_t)(blocks->end + done));

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -ENOSPC;
        done += (size_t)r;
    }
    blocks->end += size;
    return 0;
}

static int end_block(struct ct_symbol_blocks *blocks, enum ct_block_type type)
{
    uint32_t size = (uint32_t)ct_buffer_used(&blocks->rows);
    struct ct_block_head head = { .magic = CT_BLOCK_MAGIC, .type = (uint16_t)type, .size = size };
    uLong crc = crc32(0, (const Bytef *)&head, offsetof(struct ct_block_head, crc));

    if (blocks->rows.full)
        return -EFBIG;
    head.crc = (uint32_t)crc32(crc, blocks->rows.base, size);
    memcpy(blocks->memory, &head, sizeof head);
    blocks->rows.at = blocks->rows.base;
    return append(blocks, sizeof head + size);
}

int ct_symbol_blocks_flush(struct ct_symbol_blocks *blocks)
{
    return ct_buffer_used(&blocks->rows) ? end_block(blocks, CT_BLOCK_SYMBOLS) : 0;
}

int ct_symbol_blocks_program(struct ct_symbol_blocks *blocks, const struct ct_run *run)
{
    int r = ct_symbol_blocks_flush(blocks);

    if (r != 0)
        return r;
    ct_run_put(&blocks->rows, run);
    return end_block(blocks, CT_BLOCK_RUN);
}

static void cut(struct ct_text *text, size_t size)
{
    if (text->size > size)
        text->size = size;
}

int ct_symbol_blocks_add(struct ct_symbol_blocks *blocks, uint64_t pc,
                         const struct ct_symbol_row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct ct_symbol_row row = rows[i];

        row.pc = pc;
        cut(&row.function, CT_STRING_MAX);
        cut(&row.file, CT_PATH_MAX);
        cut(&row.module, CT_PATH_MAX);
        ct_symbol_row_put(&blocks->rows, &row);
    }
    return ct_buffer_used(&blocks->rows) >= PAYLOAD_SPLIT ? ct_symbol_blocks_flush(blocks) : 0;
}

void ct_symbol_blocks_fini(struct ct_symbol_blocks *blocks, bool keep)
{
    /* If even that fails, what is left is whole blocks and a torn one: a cut trace, which reads. */
    if (!keep && blocks->memory)
        (void)!ftruncate(blocks->fd, (off_t)blocks->begin);
    free(blocks->memory);
    *blocks = (struct ct_symbol_blocks){ 0 };
}
