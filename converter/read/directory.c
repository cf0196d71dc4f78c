/* From the end of a file to its DIRECTORY, and every row of it compared with what stands there. */
#include "converter/read/directory.h"

#include <string.h>

enum { HEAD = sizeof(struct ct_block_head), FOOT = HEAD + CT_FOOT_SIZE };

/* A block that is what it must be, and whole. */
static bool good_block(const struct ct_trace_segment *segment, uint64_t at, unsigned type, uint64_t generation,
                       struct ct_block *ret)
{
    return at < segment->source.size && ct_trace_block(segment, at, ret, NULL) == 0 && ret->head.type == type &&
           ret->head.generation == generation && ct_block_check(ret, NULL) == 0;
}

static bool find_foot(const struct ct_trace_segment *segment, struct ct_foot *ret)
{
    struct ct_block block;

    if (segment->source.size < sizeof(struct ct_file_head) + FOOT ||
        !good_block(segment, segment->source.size - FOOT, CT_BLOCK_FOOT, 0, &block) || block.head.size != CT_FOOT_SIZE)
        return false;
    ct_foot_get(block.payload.at, ret);
    return ret->directory >= sizeof(struct ct_file_head) && ret->directory < segment->source.size - FOOT;
}

/* A run of blocks of one generation: it begins with one of them, and its GENERATION_END is where it is said to be. */
static bool good_row(const struct ct_trace_segment *segment, const struct ct_directory_row *row)
{
    struct ct_block block;

    if (ct_trace_block(segment, row->offset, &block, NULL) < 0 || block.head.generation != row->generation ||
        HEAD + block.head.size > row->size)
        return false;
    if (row->generation == 0 || row->end_offset == 0)
        return row->end_offset == 0;
    return row->end_offset >= row->offset && row->end_offset - row->offset < row->size &&
           good_block(segment, row->end_offset, CT_BLOCK_GENERATION_END, row->generation, &block) &&
           HEAD + block.head.size <= row->size - (row->end_offset - row->offset);
}

/* All rows of one DIRECTORY block; `*end` is where those before ended. */
static bool take_rows(const struct ct_trace_segment *segment, struct ct_block *block, struct ct_read_directory *d,
                      uint64_t *end)
{
    while (ct_cursor_left(&block->payload)) {
        struct ct_directory_row row, *place;

        if (ct_directory_row_get(&block->payload, &row, NULL) < 0 || row.offset != *end || row.size < HEAD ||
            row.size > UINT32_MAX || row.size > d->end - row.offset || row.generation > UINT32_MAX ||
            !good_row(segment, &row))
            return false;
        place = ct_list_add(&d->rows);
        if (!place)
            return false;
        *place = row;
        *end = row.offset + row.size;
    }
    return true;
}

bool ct_read_directory_find(const struct ct_trace_segment *segment, struct ct_read_directory *ret)
{
    struct ct_block block;
    struct ct_foot foot;
    uint64_t end = sizeof(struct ct_file_head), at;

    *ret = (struct ct_read_directory){ 0 };
    if (!find_foot(segment, &foot))
        return false;
    ret->end = foot.directory;
    for (at = foot.directory; good_block(segment, at, CT_BLOCK_DIRECTORY, 0, &block); at += HEAD + block.head.size)
        if (!take_rows(segment, &block, ret, &end))
            return false;
    return at > foot.directory && end == foot.directory;
}
