/* One block of a file: its head, its checksum, what is noted of it, and what happens when it is none. */
#include <string.h>

#ifdef CT_HAVE_ISAL
#include <isa-l/crc.h>
#else
#include <zlib.h>
#endif

#include "converter/read/trace.h"
#include "converter/read/vanish.h"

int ct_trace_block(const struct ct_trace_segment *segment, uint64_t at, struct ct_block *ret, struct ct_error *err)
{
    uint64_t left = segment->source.size - at;
    struct ct_block block = { .offset = at };

    if (left < sizeof block.head)
        return ct_error_at(err, -ENODATA, at, "the trace ends within the head of a block");
    memcpy(&block.head, segment->source.bytes + at, sizeof block.head);
    if (block.head.magic != CT_BLOCK_MAGIC)
        return ct_error_at(err, -EINVAL, at, "no block begins here (0x%08x)", block.head.magic);
    if (block.head.size > CT_BLOCK_MAX)
        return ct_error_at(err, -EINVAL, at + 8, "a block of %u bytes, %d are allowed", block.head.size, CT_BLOCK_MAX);
    if (block.head.size > left - sizeof block.head)
        return ct_error_at(err, -ENODATA, at, "the trace ends within a block");
    at += sizeof block.head;
    block.payload = ct_cursor_over(segment->source.bytes + at, block.head.size, at);
    *ret = block;
    return 0;
}

/* HOT: over every byte of a trace; ISA-L is ten times faster than zlib. */
static uint32_t crc_of(uint32_t crc, const void *bytes, size_t size)
{
#ifdef CT_HAVE_ISAL
    return crc32_gzip_refl(crc, bytes, size);
#else
    return (uint32_t)crc32_z(crc, bytes, size);
#endif
}

int ct_block_check(const struct ct_block *block, struct ct_error *err)
{
    uint32_t crc = crc_of(0, &block->head, offsetof(struct ct_block_head, crc));

    crc = crc_of(crc, block->payload.base, block->head.size);
    return crc == block->head.crc ? 0 : ct_error_at(err, -EINVAL, block->offset, "a block's checksum is wrong");
}

void ct_trace_damage(struct ct_trace_input *input, unsigned segment, const struct ct_error *err)
{
    for (unsigned i = segment; i < input->segment_count; i++) {
        uint64_t limit = i == segment ? err->offset : 0;

        if (limit < input->segments[i].limit)
            input->segments[i].limit = limit;
    }
    if (input->ending.damage && input->ending.error.offset <= err->offset)
        return;
    input->ending.damage = err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    input->ending.error = *err;
    input->ending.error.code = input->ending.damage;
    input->ending.cut_offset = err->offset;
    input->ending.complete = false;
}

bool ct_trace_count(struct ct_trace *trace, struct ct_trace_input *input, const struct ct_block *block)
{
    unsigned type = block->head.type;
    unsigned counted = type < CT_READ_BLOCK_TYPES ? type : 0;

    input->block_bytes[counted] += sizeof block->head + block->head.size;
    input->blocks[counted]++;
    if (type == CT_BLOCK_BATCH)
        trace->oddities.late_pieces += (block->head.flags & CT_BLOCK_LATE) != 0;
    if (type != 0 && type <= CT_BLOCK_FOOT)
        return true;
    trace->oddities.unknown_blocks++;
    return false;
}

void ct_trace_vanished(struct ct_trace_input *input)
{
    const struct ct_read_source *source = &input->segments[0].source;
    uint64_t missing = source->mapped ? ct_vanish_at(source->bytes) : UINT64_MAX;
    struct ct_error err;

    if (missing == UINT64_MAX)
        return;
    if (input->ending.damage && input->ending.error.offset < missing)      /* the zeros at the end of a page come before */
        missing = input->ending.error.offset;
    ct_error_fill(&err, -EINVAL, missing, "the file was cut short while it was read");
    input->ending.damage = 0;
    ct_trace_damage(input, 0, &err);
}
