/* A list of chunks, each larger than the last. */
#include "converter/index/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 4096, LARGEST = 1 << 20, ALIGN = 16 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(ALIGN) unsigned char bytes[];
};

struct ct_index_memory {
    struct chunk *newest;
    bool is_short;
};

struct ct_index_memory *ct_index_memory_new(void)
{
    return calloc(1, sizeof(struct ct_index_memory));
}

void ct_index_free(struct ct_index_memory *memory)
{
    if (!memory)
        return;
    for (struct chunk *c = memory->newest, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(memory);
}

void *ct_index_take(struct ct_index_memory *memory, size_t size)
{
    struct chunk *c = memory->newest;
    size_t wanted = (size + ALIGN - 1) / ALIGN * ALIGN;
    void *p;

    if (size > SIZE_MAX / 4) {
        memory->is_short = true;
        return NULL;
    }
    if (!c || c->size - c->used < wanted) {
        size_t room = c && c->size * 2 < LARGEST ? c->size * 2 : c ? LARGEST : FIRST;

        if (room < wanted)
            room = wanted;
        c = malloc(sizeof *c + room);
        if (!c) {
            memory->is_short = true;
            return NULL;
        }
        c->next = memory->newest;
        c->used = 0;
        c->size = room;
        memory->newest = c;
    }
    p = c->bytes + c->used;
    c->used += wanted;
    return memset(p, 0, size);
}

struct ct_text ct_index_copy(struct ct_index_memory *memory, struct ct_text text)
{
    char *p = text.size ? ct_index_take(memory, text.size) : NULL;

    if (!p)
        return (struct ct_text){ "", 0 };
    memcpy(p, text.at, text.size);
    return (struct ct_text){ p, text.size };
}

struct ct_text ct_index_print(struct ct_index_memory *memory, const char *format, ...)
{
    char line[512];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size < 0)
        size = 0;
    return ct_index_copy(memory, (struct ct_text){ line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1 });
}

bool ct_index_short(const struct ct_index_memory *memory)
{
    return memory->is_short;
}

void *ct_index_grow(struct ct_index_memory *memory, void *items, size_t size, size_t count, size_t *room)
{
    size_t wide = *room ? *room * 2 : 16;
    void *p;

    if (count < *room)
        return items;
    p = wide > SIZE_MAX / 4 / size ? NULL : ct_index_take(memory, wide * size);
    if (!p) {
        memory->is_short = true;
        return NULL;
    }
    if (count)
        memcpy(p, items, count * size);
    *room = wide;
    return p;
}
