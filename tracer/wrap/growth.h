/*
 * Growth and shrinking of the heap: what is held in all, and how a burst becomes one event.
 *
 * glibc's arenas but the first grow by a page at a time, by mprotect inside libc: some thirty thousand times for three
 * threads that allocate 50 MB each.  A change that follows another one within a millisecond is told with the next one,
 * after 10 ms or a MiB at the latest; who leaves a burst unfinished has its rest told by the next look, or at the end.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `how` of HEAP_GROW and HEAP_SHRINK. */
enum { CT_HOW_BRK = 0, CT_HOW_MMAP = 1, CT_HOW_ARENA = 2, CT_HOW_PURGE = 3 };

/* One place that grows.  Relaxed: whoever exchanges a number reports it. */
struct ct_growth {
    _Atomic(const void *) arena;        /* of arenas: which */
    _Atomic size_t known;               /* of arenas: their bytes when we last looked */
    _Atomic int64_t bytes;              /* not told yet, */
    _Atomic uint64_t ticks;             /* which took so long, */
    _Atomic uint64_t since, last;       /* since the last event and the last change */
};

/* A change that began at `start` (0: how long it took is not known).  Tells it, or what has gathered, or nothing yet. */
void ct_growth_changed(struct ct_growth *g, uint64_t start, unsigned how, int64_t bytes);

/* One that is an event of its own, like a mapped block. */
void ct_growth_tell(uint64_t start, unsigned how, int64_t bytes);

/* malloc_trim(): the heap's end moved by `brk_bytes`, and the process holds `resident` bytes more: both negative, or 0. */
void ct_growth_trimmed(uint64_t start, uint64_t now, int64_t brk_bytes, int64_t resident);

/* Growth is looked for again: what came meanwhile is held, and is told of nobody's call. */
void ct_heap_look_anew(void);
void ct_growth_look_anew(int64_t brk_bytes);

/* Where libc believes the heap to end has moved from where it was seen to, by so much. */
void ct_growth_brk(uint64_t start, int64_t bytes);

/* At the start: the allocator is libc's, or that of a library whose mappings are the heap's. */
void ct_growth_know_allocator(const void *code, bool is_libc);
bool ct_growth_is_allocators(const void *code);
/* Calls are about to be led through the recorder. */
void ct_growth_listen(void);

/*
 * HOT: in every malloc that is recorded.  Whether a block's arena is larger or smaller than when somebody last looked: for
 * blocks of which the header says that they are in an arena, where its layout is known.
 */
extern bool ct_arenas_known __attribute__((visibility("hidden")));
enum { CT_CHUNK_ARENA = 4, CT_HEAP_SIZE = 64 << 20, CT_ARENAS = 256, CT_ARENA_BYTES = 2184 };
extern struct ct_growth ct_arenas[CT_ARENAS] __attribute__((visibility("hidden")));

/* What a block of an arena lies in: its first word is the arena, its third one how far it reaches. */
static inline const char *ct_heap_of(const void *block)
{
    return (const char *)((uintptr_t)block & ~(uintptr_t)(CT_HEAP_SIZE - 1));
}

static inline size_t ct_heap_bytes(const char *heap)
{
    return __atomic_load_n((const size_t *)(const void *)heap + 2, __ATOMIC_RELAXED);
}

static inline const char *ct_arena_of(const void *block)
{
    return *(const char *const *)(const void *)ct_heap_of(block);
}

static inline size_t ct_arena_bytes(const char *arena)
{
    return __atomic_load_n((const size_t *)(const void *)(arena + CT_ARENA_BYTES), __ATOMIC_RELAXED);
}

static inline struct ct_growth *ct_arena_place(const char *arena)
{
    return &ct_arenas[(uintptr_t)arena / CT_HEAP_SIZE % CT_ARENAS];
}

static inline bool ct_is_in_arena(const void *block)
{
    return ct_arenas_known && block && __builtin_expect(((const size_t *)block)[-1] & CT_CHUNK_ARENA, 0);
}

static inline bool ct_arena_is_news(const char *arena)
{
    return atomic_load_explicit(&ct_arena_place(arena)->known, memory_order_relaxed) != ct_arena_bytes(arena);
}

static inline bool ct_arena_changed(const void *block)
{
    return ct_is_in_arena(block) && ct_arena_is_news(ct_arena_of(block));
}

/* Of a block that is in an arena: whether one more like it would make that grow, by a page. */
static inline bool ct_arena_full(const void *block, size_t size)
{
    const char *heap = ct_heap_of(block);

    return (size_t)(heap + ct_heap_bytes(heap) - (const char *)block) < 2 * size + 64;
}

/* HOT: of a small one that is: whether it is worth a look: something has changed, or will by the next one. */
static inline bool ct_arena_busy(const void *block, size_t size)
{
    return ct_arena_is_news(ct_arena_of(block)) || ct_arena_full(block, size);
}

/* Notes it, and tells it when growth is recorded. */
void ct_arena_look(const char *arena, uint64_t start);
