/* --alloc-slow: each call of the allocator is timed, and told when it took long.  Two TSC reads a call are paid by who asks. */
#include <errno.h>

#include "record/emit.h"
#include "record/intern.h"
#include "record/session_state.h"
#include "wrap/heap_slow.h"
#include "wrap/real.h"

/* Calls of the kernel that it made are told on their own, within. */
static void tell(unsigned call, uint64_t start, size_t bytes)
{
    uint64_t now = ct_clock_now(), ns = __atomic_load_n(&ct_options.alloc_slow, __ATOMIC_RELAXED);

    if (!ct_gate_open() || !ct_arena || !ct_wanted(CT_CAT_heap) || now <= start ||
        (double)(now - start) * 1e9 < (double)ns * (double)ct_arena->ticks_per_second)
        return;
    EMIT(ALLOC_SLOW, .time = now, .dur = now - start, .call = call, .bytes = bytes, .at = ct_stack_here());
}

/* What other wrappers do besides stays as it is. */
#define SLOW(type, name, parameters, call, bytes, ...) \
    static type slow_##name parameters \
    { \
        uint64_t start = ct_clock_now(); \
        type result = ct_seen_##name(__VA_ARGS__); \
        int error = errno; \
        \
        tell(CT_CALL_##call, start, bytes); \
        errno = error; \
        return result; \
    }
SLOW(void *, malloc, (size_t size), malloc, size, size)
SLOW(void *, calloc, (size_t n, size_t size), calloc, n * size, n, size)
SLOW(void *, realloc, (void *at, size_t size), realloc, size, at, size)
SLOW(void *, reallocarray, (void *at, size_t n, size_t size), realloc, n * size, at, n, size)
SLOW(void *, memalign, (size_t alignment, size_t size), memalign, size, alignment, size)
SLOW(void *, aligned_alloc, (size_t alignment, size_t size), memalign, size, alignment, size)
SLOW(int, posix_memalign, (void **ret, size_t alignment, size_t size), memalign, size, ret, alignment, size)

static void slow_free(void *at)
{
    uint64_t start = ct_clock_now();
    int error;

    ct_seen_free(at);
    error = errno;
    tell(CT_CALL_free, start, 0);
    errno = error;
}

#define LEAD(name) __atomic_store_n(&ct_route.name, slow_##name, __ATOMIC_RELAXED)

void ct_heap_slow_lead(void)
{
    if (!__atomic_load_n(&ct_options.alloc_slow, __ATOMIC_RELAXED))
        return;
    LEAD(malloc);
    LEAD(calloc);
    LEAD(realloc);
    LEAD(reallocarray);
    LEAD(memalign);
    LEAD(aligned_alloc);
    LEAD(posix_memalign);
    LEAD(free);
}
