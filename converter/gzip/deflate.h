/*
 * Deflate blocks from text whose writer knows what it wrote before: repetitions are told, not searched for.
 *
 * A compressor spends most of its time on looking for what the sink of a billion similar records could simply say.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `size` bytes at `at` of a buffer are the same as those `distance` before them, in this buffer or the ones before. */
struct ct_repeat {
    uint32_t at;
    uint16_t size, distance;
};

enum {
    CT_REPEAT_MIN = 6,                  /* shorter ones are as cheap as the bytes themselves */
    CT_REPEAT_DISTANCE_MAX = 32767,
};

struct ct_deflate;

struct ct_deflate *ct_deflate_new(void);
void ct_deflate_free(struct ct_deflate *deflate);

/* Bytes that ct_deflate_block may write for `size` bytes. */
size_t ct_deflate_room(size_t size);

/*
 * Writes `size` bytes as one block that ends on a byte's border and is not the last one.  `repeats` are in order and
 * do not overlap; their distances do not reach before the stream's start.  Returns the number of bytes written to `to`.
 */
size_t ct_deflate_block(struct ct_deflate *deflate, const uint8_t *bytes, size_t size, const struct ct_repeat *repeats,
                        size_t count, uint8_t *to);
