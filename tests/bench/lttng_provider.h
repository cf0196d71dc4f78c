/* The peer's events: a begin with two numbers and an end, as a wait or a region is for ctrace. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ctrace_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./lttng_provider.h"
#if !defined(CT_BENCH_LTTNG_PROVIDER_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define CT_BENCH_LTTNG_PROVIDER_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(ctrace_bench, begin,
    LTTNG_UST_TP_ARGS(uint32_t, name, uint64_t, task),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(uint32_t, name, name)
        lttng_ust_field_integer(uint64_t, task, task)
    )
)

LTTNG_UST_TRACEPOINT_EVENT(ctrace_bench, end,
    LTTNG_UST_TP_ARGS(),
    LTTNG_UST_TP_FIELDS()
)

#endif
#include <lttng/tracepoint-event.h>
