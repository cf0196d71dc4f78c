/* The recorder as a library in small: two frames above each capture, one around what it calls. */
#include "record/unwind.h"

unsigned own_capture(struct ct_unwind_cache *cache, uintptr_t low, uintptr_t high, uint64_t *pcs,
                     unsigned max, unsigned *flags);
void own_through(void (*callee)(void *), void *argument);

#define EXPORT __attribute__((visibility("default")))

static volatile int after; /* keeps calls from becoming jumps */

static __attribute__((noinline)) unsigned capture(struct ct_unwind_cache *cache, uintptr_t low,
                                                  uintptr_t high, uint64_t *pcs, unsigned max,
                                                  unsigned *flags)
{
    unsigned count = ct_unwind_here(cache, low, high, pcs, max, flags);

    after++;
    return count;
}

EXPORT unsigned own_capture(struct ct_unwind_cache *cache, uintptr_t low, uintptr_t high,
                            uint64_t *pcs, unsigned max, unsigned *flags)
{
    unsigned count = capture(cache, low, high, pcs, max, flags);

    after++;
    return count;
}

EXPORT void own_through(void (*callee)(void *), void *argument)
{
    callee(argument);
    after++;
}
