/*
 * The bytes of an index: a file that grows at its end, mapped once for reading and writing.  Space is allocated before it
 * is touched, so a full disk is an error and not a SIGBUS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CT_HEAP_SLACK = 64 };            /* bytes behind what is used that may be read: loads are 8 bytes wide */

struct ct_coder;

struct ct_heap {
    struct ct_coder *coder;             /* it alone appends; NULL: whoever has the heap does */
    int fd;                             /* -1: a file that was opened for reading, or nothing */
    uint8_t *base;
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

/* Where up to `size` bytes can be written; they count when ct_heap_take says so.  NULL: heap->error says why. */
static inline uint8_t *ct_heap_room(struct ct_heap *heap, size_t size)
{
    if (__builtin_expect(heap->allocated - heap->used < size + CT_HEAP_SLACK, 0) && !ct_heap_grow(heap, size))
        return NULL;
    return heap->base + heap->used;
}

static inline void ct_heap_take(struct ct_heap *heap, size_t size)
{
    heap->used += size;
}

/* Appends a copy, aligned to 8 bytes, and returns where it begins; UINT64_MAX when there is no room. */
uint64_t ct_heap_put(struct ct_heap *heap, const void *bytes, size_t size);
