/*
 * Large tables of which little is used: pages of zeros straight from the kernel.  malloc would hand out memory that was used
 * before, and calloc would clear, and so touch, all of it: a megabyte for each process that is traced.
 */
#pragma once

#include <stddef.h>
#include <sys/mman.h>

/* NULL without memory. */
static inline void *ct_pages_new(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

/* Takes NULL. */
static inline void ct_pages_free(void *at, size_t size)
{
    if (at)
        munmap(at, size);
}
