/* The clock of one program: ticks of events to CLOCK_MONOTONIC ns, piecewise linear between the moments both were read. */
#pragma once

#include "converter/read/list.h"
#include "format/tables.h"

struct ct_clock_point {
    uint64_t ticks;
    int64_t ns;
    uint64_t rate;              /* ns a tick until the next point, 32.32 fixed point */
};

struct ct_read_clock {
    CT_LIST(struct ct_clock_point) points;
    uint64_t rate;              /* before the first point and after the last */
    int64_t realtime_offset_ns; /* REALTIME - MONOTONIC at the first point */
    bool has_realtime;
};

void ct_read_clock_fini(struct ct_read_clock *clock);

/* Adds a moment, in any order.  0 or -ENOMEM. */
int ct_read_clock_add(struct ct_read_clock *clock, const struct ct_clock_sample *sample);

/*
 * Call after the last add: sorts, and drops points that contradict those before them (time never runs backwards).
 * `ticks_per_second` is what the recorder believes, for a clock that was read once only; 0 is taken as 10^9.
 */
void ct_read_clock_ready(struct ct_read_clock *clock, uint64_t ticks_per_second);

/* The moment of `ticks`; never negative. */
int64_t ct_read_clock_ns(const struct ct_read_clock *clock, uint64_t ticks);

/* The first tick whose moment is not before `ns`: the inverse, for those who write ticks from times. */
uint64_t ct_read_clock_ticks(const struct ct_read_clock *clock, int64_t ns);

/* A stretch of the clock between two points, kept by those who convert many ticks that lie close together. */
struct ct_clock_span {
    uint64_t ticks, ticks_end;
    int64_t ns;
    uint64_t rate;
};

/* Fills `span` with the stretch that holds `ticks`. */
void ct_read_clock_span(const struct ct_read_clock *clock, uint64_t ticks, struct ct_clock_span *span);

/* HOT: the moment of `ticks`, through a span that is renewed when it does not hold them. */
static inline int64_t ct_clock_span_ns(const struct ct_read_clock *clock, struct ct_clock_span *span, uint64_t ticks)
{
    if (__builtin_expect(ticks - span->ticks >= span->ticks_end - span->ticks, 0)) {
        ct_read_clock_span(clock, ticks, span);
        if (ticks - span->ticks >= span->ticks_end - span->ticks)
            return ct_read_clock_ns(clock, ticks);
    }
    return span->ns + (int64_t)((unsigned __int128)(ticks - span->ticks) * span->rate >> 32);
}
