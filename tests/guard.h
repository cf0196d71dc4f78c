/* Bytes that end where memory ends: a read of one byte too many is a crash, not luck. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    uint8_t *at;            /* the bytes; the page behind them cannot be read */
    void *map;
    size_t map_size;
};

static inline struct guard guard_over(const void *bytes, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
    struct guard g = { .map_size = room + page };

    g.map = mmap(NULL, g.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(g.map != MAP_FAILED);
    mprotect((uint8_t *)g.map + room, page, PROT_NONE);
    g.at = (uint8_t *)g.map + room - size;
    if (size)
        memcpy(g.at, bytes, size);
    return g;
}

static inline void guard_end(struct guard *g)
{
    munmap(g->map, g->map_size);
}
