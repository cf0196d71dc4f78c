/* The allocator: its calls are passed through; recorded is when it got memory from the kernel or gave it back, and samples. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "profile/heap.h"
#include "record/emit.h"
#include "record/hot.h"
#include "record/rawfile.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "wrap/growth.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* HOT: malloc and free are in every program's inner loops.
 *   budget   preloaded idle + 2 ns a pair, recording + 5 ns (tests/bench/malloc.c).
 *   never    looks into a block when the allocator is not libc's. */

extern void *__curbrk;                  /* where libc believes the heap to end */

/* glibc's chunk: the word before a block holds its size and flags; before that, of mmapped ones, the slack in front. */
enum { CHUNK_AFTER_USED = 1, CHUNK_MMAPPED = 2, CHUNK_FLAGS = 7 };

/* Blocks from this size on may be mapped one by one: glibc's smallest threshold unless the program sets another. */
static const size_t large = 128 << 10;

/*
 * Two TSC reads would cost more than malloc itself, and one is paid only where memory may come from the kernel: for blocks
 * of a page and more, and for small ones while what is left behind the last block cut off the heap's top is less.
 */
enum { page = 4096 };

CT_HOT_DATA static bool chunks_known;               /* the allocator is libc's: blocks have a header of the kind above */
CT_EARLY_DATA static char *heap_start;                /* about: where the heap ended when we came */
CT_HOT_DATA static struct {
    void *_Atomic end;                  /* relaxed: whoever exchanges it reports the difference */
    _Atomic size_t timed;               /* relaxed: blocks from this size on may take time; 0: a small one may move the end */
} last = { .timed = page };

static __attribute__((constructor(102))) void look_at_allocator(void)
{
    ct_real_find_free();
    ct_malloc_is_libc = chunks_known = ct_real_in_libc((void *)ct_real.free);
    ct_growth_know_allocator((void *)ct_real.free, chunks_known);
    heap_start = __curbrk ? __curbrk : (char *)ct_syscall(SYS_brk, 0);
    atomic_store_explicit(&last.end, __curbrk, memory_order_relaxed);
    if (!__curbrk)                      /* else it is unknown: guessed to be far */
        atomic_store_explicit(&last.timed, 0, memory_order_relaxed);
}

/* Bytes of a block that is mapped by itself, else 0. */
static inline size_t mapped_bytes(const void *block)
{
    const size_t *chunk = (const size_t *)block;

    if (!block || !chunks_known || !(chunk[-1] & CHUNK_MMAPPED) || chunk[-1] < large)
        return 0;
    return chunk[-2] + (chunk[-1] & ~(size_t)CHUNK_FLAGS);
}

static inline bool end_moved(void)
{
    return __builtin_expect(__curbrk != atomic_load_explicit(&last.end, memory_order_relaxed), 0);
}

/* By how much, for who reports it. */
static int64_t move_end(void)
{
    char *now = __curbrk, *before = atomic_exchange_explicit(&last.end, now, memory_order_relaxed);

    atomic_store_explicit(&last.timed, page, memory_order_relaxed);
    return before ? now - before : now - heap_start;
}

static __attribute__((noinline, cold)) void report_end(uint64_t start)
{
    ct_growth_brk(start, move_end());
}

void ct_heap_look_anew(void)
{
    ct_growth_look_anew(move_end());
}

static inline void report_change(uint64_t start, int64_t bytes)
{
    if (__builtin_expect(bytes != 0, 0))
        ct_growth_tell(start, CT_HOW_MMAP, bytes);
}

static inline bool takes_time(size_t size)
{
    return __builtin_expect(size >= atomic_load_explicit(&last.timed, memory_order_relaxed), 0);
}

static inline bool is_near_end(const void *block, size_t size)
{
    return __builtin_expect((size_t)((const char *)__curbrk - (const char *)block) - size <
                            atomic_load_explicit(&ct_heap_margin, memory_order_relaxed), 0);
}

/* After a call that gave `block` of at least `size` bytes. */
static __attribute__((noinline, cold)) void *look(uint64_t start, void *block, size_t size)
{
    if (end_moved())
        report_end(start);
    if (ct_arena_changed(block)) {
        atomic_store_explicit(&last.timed, page, memory_order_relaxed);
        ct_arena_look(ct_arena_of(block), start);
    }
    if (!ct_recording(CT_CAT_heap))
        return block;
    if (is_near_end(block, size) || (ct_is_in_arena(block) && ct_arena_full(block, size)))
        atomic_store_explicit(&last.timed, 0, memory_order_relaxed);
    return block;
}

/* After a call that may have been one of those that take time: with `start` 0 it took none that is known. */
static __attribute__((noinline)) void *look_and_count(uint64_t start, void *block, size_t size)
{
    look(start, block, size);
    if (ct_recording(CT_CAT_heap))
        report_change(start, (int64_t)mapped_bytes(block));
    ct_heap_allocated(block, size);
    return block;
}

/* Of the hot ones: the sample that is due, and what else there is to see. */
static void *look_and_sample(void *block, size_t size)
{
    look(0, block, size);
    ct_heap_sample(block, size);
    return block;
}

/*
 * In the heap that grows by its end, and so far from it that the next small block does not move it: most blocks, told by
 * three subtractions.  Those of other arenas lie terabytes away, NULL as well.
 */
static inline bool is_far(const void *block, size_t size)
{
    size_t left = (size_t)((const char *)__curbrk - (const char *)block) - size -
                  atomic_load_explicit(&ct_heap_margin, memory_order_relaxed);

    return __builtin_expect(left >> 40 == 0, 1);
}

/* The body of an allocating wrapper; of the hot ones, where it may take time. */
#define ALLOCATE(size, real) \
    __extension__({ \
        uint64_t ct_start = ct_recording(CT_CAT_heap) ? ct_clock_now() : 0; \
        void *ct_block = (real); \
        look_and_count(ct_start, ct_block, size); \
    })

static __attribute__((noinline)) void *hand_out_near(void *block, size_t size)
{
    bool busy = ct_is_in_arena(block) ? ct_arena_busy(block, size) : end_moved() || is_near_end(block, size);

    return __builtin_expect(busy, 0) ? look(0, block, size) : block;
}

/* What a hot one does with its block: nothing, as a rule. */
#define HAND_OUT(block, size) return is_far(block, size) ? (block) : hand_out_near(block, size)

/* n blocks of a size that overflows are refused by the real call. */
static inline size_t product(size_t n, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? 0 : bytes;
}

/* Of the hot ones, where growth of the heap is not recorded: that a small block may move its end is of no interest. */
static void *untimed(void *block, size_t size)
{
    atomic_store_explicit(&last.timed, page, memory_order_relaxed);
    ct_heap_allocated(block, size);
    return block;
}

static __attribute__((noinline)) void *timed_malloc(size_t size)
{
    if (!ct_recording(CT_CAT_heap))
        return untimed(ct_real.malloc(size), size);
    return ALLOCATE(size, ct_real.malloc(size));
}

static __attribute__((noinline)) void *sample_malloc(size_t size)
{
    return look_and_sample(ct_real.malloc(size), size);
}

CT_JUMPS void *ct_seen_malloc(size_t size)
{
    void *block;

    if (takes_time(size))
        return timed_malloc(size);
    if (ct_heap_due(size))
        return sample_malloc(size);
    block = ct_real.malloc(size);
    HAND_OUT(block, size);
}

static __attribute__((noinline)) void *timed_calloc(size_t n, size_t size)
{
    if (!ct_recording(CT_CAT_heap))
        return untimed(ct_real.calloc(n, size), product(n, size));
    return ALLOCATE(product(n, size), ct_real.calloc(n, size));
}

static __attribute__((noinline)) void *sample_calloc(size_t n, size_t size)
{
    return look_and_sample(ct_real.calloc(n, size), product(n, size));
}

CT_JUMPS void *ct_seen_calloc(size_t n, size_t size)
{
    size_t bytes = product(n, size);
    void *block;

    if (takes_time(bytes))
        return timed_calloc(n, size);
    if (ct_heap_due(bytes))
        return sample_calloc(n, size);
    block = ct_real.calloc(n, size);
    HAND_OUT(block, bytes);
}

void *ct_seen_memalign(size_t alignment, size_t size)
{
    return ALLOCATE(size, ct_real.memalign(alignment, size));
}

void *ct_seen_aligned_alloc(size_t alignment, size_t size)
{
    return ALLOCATE(size, ct_real.aligned_alloc(alignment, size));
}

void *ct_seen_valloc(size_t size)
{
    return ALLOCATE(size, ct_real.valloc(size));
}

void *ct_seen_pvalloc(size_t size)
{
    return ALLOCATE(size, ct_real.pvalloc(size));
}

int ct_seen_posix_memalign(void **ret, size_t alignment, size_t size)
{
    uint64_t start = ct_recording(CT_CAT_heap) ? ct_clock_now() : 0;
    int r = ct_real.posix_memalign(ret, alignment, size);

    if (r == 0)
        look_and_count(start, *ret, size);
    return r;
}

/* Sizes, with flags, up to which a block is never joined with others, and from which on the arena may be trimmed at once. */
enum { FAST = 0x87, CONSOLIDATED = 64 << 10 };

/* What is left of it may be given back when it shrinks. */
static inline bool is_large(const void *block)
{
    return block && chunks_known && ((const size_t *)block)[-1] > CONSOLIDATED;
}

/*
 * A mapped block may move, grow, shrink or become an ordinary one: what counts is the difference.  To the samples it is
 * a free and an allocation.  `none`: NULL says that the block was freed, not that there was no memory.
 */
#define REALLOCATE(old, size, none, real) \
    __extension__({ \
        bool ct_told = ct_recording(CT_CAT_heap); \
        int64_t ct_before = ct_told ? (int64_t)mapped_bytes(old) : 0; \
        uint64_t ct_start = ct_told && (takes_time(size) || is_large(old)) ? ct_clock_now() : 0; \
        uint64_t ct_lifted = ct_watched_maybe(old) ? ct_heap_lift(old) : 0; \
        void *ct_block = (real); \
        bool ct_freed = ct_block || (none); \
        if (__builtin_expect(ct_lifted != 0, 0)) \
            ct_heap_lifted(old, ct_lifted, ct_freed); \
        if (end_moved() || is_near_end(ct_block, size < large ? size : 0) || ct_arena_changed(ct_block)) \
            look(ct_start, ct_block, size < large ? size : 0); \
        if (ct_freed && ct_told) \
            report_change(ct_start, (int64_t)mapped_bytes(ct_block) - ct_before); \
        ct_heap_allocated(ct_block, size); \
        ct_block; \
    })

void *ct_seen_realloc(void *block, size_t size)
{
    return REALLOCATE(block, size, size == 0, ct_real.realloc(block, size));
}

/* libc's own would come back to us by realloc(). */
void *ct_seen_reallocarray(void *block, size_t n, size_t size)
{
    size_t bytes = product(n, size);

    if (bytes == 0 && n && size)
        return ct_real.reallocarray(block, n, size);
    return REALLOCATE(block, bytes, bytes == 0, ct_real.realloc(block, bytes));
}

/* Free bytes at the end of a heap that were not given back, so that fewer will not be either: libc lowers no limit by itself. */
CT_HOT_DATA static _Atomic size_t kept = CONSOLIDATED;  /* relaxed: decides whether a call is timed, no more */

int ct_seen_mallopt(int what, int value)
{
    int r = ct_real.mallopt(what, value);

    atomic_store_explicit(&kept, CONSOLIDATED, memory_order_relaxed);
    return r;
}

/*
 * How much is free at the end of its heap once the block is, 0 where it does not lie there: what libc's free() is about to find
 * out from the same words.  The last chunk of a heap ends where that does.
 */
static inline size_t free_at_end(const size_t *block, size_t head)
{
    size_t size = head & ~(size_t)CHUNK_FLAGS, left;
    const char *next = (const char *)(block - 2) + size, *heap = heap_start, *end = __curbrk;

    if (head & CT_CHUNK_ARENA) {
        if (!ct_arenas_known)
            return 0;
        heap = ct_heap_of(block);
        end = heap + ct_heap_bytes(heap);
    }
    left = (size_t)(end - next);
    if (left < 2 * sizeof left || left >= (size_t)(end - heap) ||       /* no chunk begins there that this heap has */
        (__atomic_load_n((const size_t *)(const void *)next + 1, __ATOMIC_RELAXED) & ~(size_t)CHUNK_FLAGS) != left)
        return 0;
    return left + size + (head & CHUNK_AFTER_USED ? 0 : block[-2]);
}

static inline bool may_be_given_back(size_t bytes)
{
    return __builtin_expect(bytes > atomic_load_explicit(&kept, memory_order_relaxed), 0);
}

static void free_in_arena(void *block, size_t head, size_t left)
{
    bool timed = (head > CONSOLIDATED || may_be_given_back(left)) && ct_recording(CT_CAT_heap);
    uint64_t start = timed ? ct_clock_now() : 0;
    const char *arena = ct_arena_of(block);
    size_t before = ct_arena_bytes(arena);

    ct_real.free(block);
    if (before == ct_arena_bytes(arena) && may_be_given_back(left))
        atomic_store_explicit(&kept, left, memory_order_relaxed);
    if (ct_arena_is_news(arena))
        ct_arena_look(arena, start);    /* arenas are never freed, their heaps are */
}

/* A block that is mapped by itself, or is large, or the last one before so much that is free. */
static void free_much(void *block, size_t head, size_t left)
{
    bool told = ct_recording(CT_CAT_heap);
    int64_t mapped = told ? (int64_t)mapped_bytes(block) : 0;
    uint64_t start = told ? ct_clock_now() : 0;
    const char *end = __curbrk;

    ct_real.free(block);
    report_change(start, -mapped);
    if (end == __curbrk && may_be_given_back(left))
        atomic_store_explicit(&kept, left, memory_order_relaxed);
    if (end_moved())
        report_end(start);
}

/* What may be joined with others: the heap's end moves back when its top has grown large. */
static __attribute__((noinline)) void free_joined(void *block)
{
    size_t head = chunks_known ? ((const size_t *)block)[-1] : 0, left = head ? free_at_end(block, head) : 0;

    if (__builtin_expect((head & CT_CHUNK_ARENA) && ct_arenas_known, 0)) {
        free_in_arena(block, head, left);
        return;
    }
    if (__builtin_expect((head & CHUNK_MMAPPED) || head > CONSOLIDATED, 0) || may_be_given_back(left)) {
        free_much(block, head, left);
        return;
    }
    ct_real.free(block);
    if (end_moved())
        report_end(0);
}

/* Of a small block the end is never moved. */
static inline bool is_joined(const void *block)
{
    return block && !(chunks_known && ((const size_t *)block)[-1] <= FAST);
}

static CT_JUMPS __attribute__((noinline)) void free_watched(void *block)
{
    ct_heap_freed(block);
    if (is_joined(block))
        free_joined(block);
    else
        ct_real.free(block);
}

CT_JUMPS void ct_seen_free(void *block)
{
    if (ct_watched_maybe(block))
        free_watched(block);
    else if (is_joined(block))
        free_joined(block);
    else
        ct_real.free(block);
}

/* What the process holds, in bytes; 0 where that is not known. */
static int64_t resident(void)
{
    char text[128];
    const char *at;

    if (ct_raw_read_file("/proc/thread-self/statm", text, sizeof text) <= 0)
        return 0;
    at = strchr(text, ' ');
    return at ? atoll(at) * page : 0;
}

/* It gives back what lies anywhere in the heap: by pages, which stay mapped, and the end of the first arena; in one go, for all we see. */
int ct_seen_malloc_trim(size_t pad)
{
    uint64_t start;
    int64_t before, after;
    int r;

    if (!chunks_known || !ct_recording(CT_CAT_heap))
        return ct_real.malloc_trim(pad);
    if (end_moved())
        report_end(0);
    before = resident();
    start = ct_clock_now();
    r = ct_real.malloc_trim(pad);
    after = resident();
    ct_growth_trimmed(start, ct_clock_now(), end_moved() ? move_end() : 0, after - before);
    return r;
}
