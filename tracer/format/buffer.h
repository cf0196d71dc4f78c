/* A bounded place to write bytes to; too much sets `full` instead of going past the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "format/varint.h"

struct ct_buffer {
    uint8_t *at, *end, *base;       /* memory of the caller */
    bool full;                      /* something did not fit; what is there is whole up to the last put that did */
};

static inline struct ct_buffer ct_buffer_over(void *memory, size_t size)
{
    return (struct ct_buffer){ memory, (uint8_t *)memory + size, memory, false };
}

static inline size_t ct_buffer_used(const struct ct_buffer *b)
{
    return (size_t)(b->at - b->base);
}

static inline void ct_buffer_varint(struct ct_buffer *b, uint64_t v)
{
    if (b->end - b->at < CT_VARINT_MAX)
        b->full = true;
    else
        b->at = ct_varint_put(b->at, v);
}

static inline void ct_buffer_bytes(struct ct_buffer *b, const void *bytes, size_t size)
{
    if ((size_t)(b->end - b->at) < size) {
        b->full = true;
    } else if (size) {
        memcpy(b->at, bytes, size);
        b->at += size;
    }
}

/* A length, then the bytes. */
static inline void ct_buffer_text(struct ct_buffer *b, const void *bytes, size_t size)
{
    if ((size_t)(b->end - b->at) < size + CT_VARINT_MAX) {
        b->full = true;
        return;
    }
    ct_buffer_varint(b, size);
    ct_buffer_bytes(b, bytes, size);
}
