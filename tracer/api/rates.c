/* trace_set_*_rate(): how often is sampled. */
#include "record/rates.h"

#include "api/door.h"
#include "ctrace.h"

#define TRACE_API __attribute__((visibility("default")))

static int64_t set(enum ct_rate which, int64_t value)
{
    return ct_door ? ct_door->rate_set(which, value) : -ENOSYS;
}

TRACE_API int64_t trace_set_cpu_rate(int64_t hz)
{
    return set(CT_RATE_CPU, hz);
}

TRACE_API int64_t trace_set_heap_rate(int64_t bytes)
{
    return set(CT_RATE_HEAP, bytes);
}

TRACE_API int64_t trace_set_block_rate(int64_t ns)
{
    return set(CT_RATE_BLOCK, ns);
}

TRACE_API int64_t trace_set_mutex_fraction(int64_t n)
{
    return set(CT_RATE_MUTEX, n);
}
