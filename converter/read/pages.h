/* Memory for what is large and soon over: it goes back to the kernel at once, where free() would keep it for the program. */
#pragma once

#include <stddef.h>
#include <sys/mman.h>

/* Zeroed; NULL without memory.  Caller frees with ct_pages_free, and says the same size again. */
static inline void *ct_pages_new(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

/* Takes NULL. */
static inline void ct_pages_free(void *at, size_t size)
{
    if (at)
        munmap(at, size);
}
