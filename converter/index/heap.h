/*
 * The bytes of an index: a file that grows at its end, mapped once for reading.  What is appended gathers in memory and is
 * written by the quarter megabyte: the first touch of each page of a mapped file would cost microseconds.  Space is
 * allocated before it is mapped, so a full disk is an error and not a SIGBUS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "converter/read/expect.h"

enum {
    CT_HEAP_SLACK = 64,                 /* bytes behind what is used that may be read: loads are 8 bytes wide */
    CT_HEAP_PAGE = 1 << 14,             /* what is written ends at one of these, so that a page is in one place */
};

struct ct_coder;

struct ct_heap {
    struct ct_coder *coder;             /* it alone appends; NULL: whoever has the heap does */
    uint8_t apart[CT_LINE - sizeof(struct ct_coder *)];     /* who gives it leaves looks at that only, the coder writes what follows */
    int fd;                             /* -1: a file that was opened for reading, or nothing */
    const uint8_t *base;                /* the file; what is in it of the edge, ct_heap_show says */
    uint8_t *edge;                      /* bytes from `written` on, with room for `edge_room`; NULL: not yet, or no more */
    size_t edge_room;
    size_t written, shown;              /* bytes that are in the file and stay; that are in it by now */
    size_t used;                        /* bytes that mean something */
    size_t allocated;                   /* bytes of the file */
    size_t mapped;                      /* bytes of address space */
    int error;                          /* negative errno once something failed; nothing is appended then */
};

/* Over an empty file that is open for reading and writing; `fd` is given.  0 or a negative errno. */
int ct_heap_init(struct ct_heap *heap, int fd);

/* Over an existing file of `size` bytes, for reading only; `fd` stays the caller's. */
int ct_heap_open(struct ct_heap *heap, int fd, size_t size);
void ct_heap_fini(struct ct_heap *heap);

/* Notes an error, whoever appends. */
void ct_heap_fail(struct ct_heap *heap, int error);

/* Not to be called but through ct_heap_room. */
bool ct_heap_grow(struct ct_heap *heap, size_t size);

/* All that is used can be read at `base` from now on; false: heap->error says why. */
bool ct_heap_show(struct ct_heap *heap);

/* The same, and nothing more is appended: the memory for it goes. */
bool ct_heap_end(struct ct_heap *heap);

/* HOT: bytes from `at` on as far as the page of CT_HEAP_PAGE, wherever they are. */
static inline const uint8_t *ct_heap_page(const struct ct_heap *heap, size_t at)
{
    return at >= heap->written && heap->edge ? heap->edge + (at - heap->written) : heap->base + at;
}

/* Where up to `size` bytes can be written; they count when ct_heap_take says so.  NULL: heap->error says why. */
static inline uint8_t *ct_heap_room(struct ct_heap *heap, size_t size)
{
    if (__builtin_expect(heap->edge_room - (heap->used - heap->written) < size, 0) && !ct_heap_grow(heap, size))
        return NULL;
    return heap->edge + (heap->used - heap->written);
}

static inline void ct_heap_take(struct ct_heap *heap, size_t size)
{
    heap->used += size;
}

/* Appends a copy, aligned to 8 bytes, and returns where it begins; UINT64_MAX when there is no room. */
uint64_t ct_heap_put(struct ct_heap *heap, const void *bytes, size_t size);
