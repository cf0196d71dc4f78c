/* Ticks to ns.  What a hostile file says of its clock may be nonsense, but the result stays monotonic and in range. */
#include "converter/read/clock.h"

#include <string.h>

enum { LONG_ENOUGH_NS = 10000000 };     /* two points this far apart tell the rate better than the nominal one */
#define NS_LIMIT ((int64_t)1 << 61)     /* 73 years: no clock shows more; sums of two stay within 64 bits */

void ct_read_clock_fini(struct ct_read_clock *clock)
{
    ct_list_fini(&clock->points);
}

int ct_read_clock_add(struct ct_read_clock *clock, const struct ct_clock_sample *sample)
{
    struct ct_clock_point *point;

    if (sample->monotonic_ns >= (uint64_t)NS_LIMIT)
        return 0;
    point = ct_list_add(&clock->points);
    if (!point)
        return -ENOMEM;
    *point = (struct ct_clock_point){ sample->ticks, (int64_t)sample->monotonic_ns, 0 };
    if (!clock->has_realtime && sample->realtime_ns < (uint64_t)NS_LIMIT) {
        clock->realtime_offset_ns = (int64_t)sample->realtime_ns - (int64_t)sample->monotonic_ns;
        clock->has_realtime = true;
    }
    return 0;
}

static int by_ticks(const void *a, const void *b)
{
    const struct ct_clock_point *x = a, *y = b;

    if (x->ticks != y->ticks)
        return x->ticks < y->ticks ? -1 : 1;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static uint64_t rate_between(uint64_t ticks, int64_t ns, uint64_t ticks_end, int64_t ns_end)
{
    unsigned __int128 rate = ((unsigned __int128)(uint64_t)(ns_end - ns) << 32) / (ticks_end - ticks);

    return rate >> 62 ? 0 : (uint64_t)rate;
}

void ct_read_clock_ready(struct ct_read_clock *clock, uint64_t ticks_per_second)
{
    struct ct_clock_point *p = clock->points.items;
    size_t kept = 0;

    if (ticks_per_second == 0 || ticks_per_second > 1000000000000u)
        ticks_per_second = 1000000000;
    clock->rate = (uint64_t)(((unsigned __int128)1000000000u << 32) / ticks_per_second);
    if (clock->points.count == 0)
        return;
    qsort(p, clock->points.count, sizeof *p, by_ticks);
    for (size_t i = 1; i < clock->points.count; i++) {
        if (p[i].ticks == p[kept].ticks || p[i].ns <= p[kept].ns)
            continue;
        p[kept].rate = rate_between(p[kept].ticks, p[kept].ns, p[i].ticks, p[i].ns);
        if (p[kept].rate == 0)
            continue;
        p[++kept] = p[i];
    }
    clock->points.count = kept + 1;
    if (p[kept].ns - p[0].ns >= LONG_ENOUGH_NS)
        clock->rate = rate_between(p[0].ticks, p[0].ns, p[kept].ticks, p[kept].ns);
    if (clock->rate == 0)
        clock->rate = (uint64_t)1 << 32;
    p[kept].rate = clock->rate;
}

/* The last point at or before `ticks`; NULL when it lies before all. */
static const struct ct_clock_point *point_before(const struct ct_read_clock *clock, uint64_t ticks)
{
    const struct ct_clock_point *p = clock->points.items;
    size_t low = 0, high = clock->points.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p[middle].ticks <= ticks)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &p[low - 1] : NULL;
}

static int64_t scaled(uint64_t ticks, uint64_t rate)
{
    unsigned __int128 ns = (unsigned __int128)ticks * rate >> 32;

    return ns >= (unsigned __int128)NS_LIMIT ? NS_LIMIT : (int64_t)ns;
}

int64_t ct_read_clock_ns(const struct ct_read_clock *clock, uint64_t ticks)
{
    const struct ct_clock_point *point = point_before(clock, ticks);
    int64_t ns;

    if (point)
        return point->ns + scaled(ticks - point->ticks, point->rate);
    if (clock->points.count == 0)
        return scaled(ticks, clock->rate);
    point = clock->points.items;
    ns = point->ns - scaled(point->ticks - ticks, clock->rate);
    return ns < 0 ? 0 : ns;
}

void ct_read_clock_span(const struct ct_read_clock *clock, uint64_t ticks, struct ct_clock_span *span)
{
    const struct ct_clock_point *point = point_before(clock, ticks);

    if (!point) {
        *span = (struct ct_clock_span){ 0 };        /* holds nothing: the slow way */
        return;
    }
    *span = (struct ct_clock_span){ point->ticks, 0, point->ns, point->rate };
    if (point < clock->points.items + clock->points.count - 1)
        span->ticks_end = point[1].ticks;
    else if (__builtin_add_overflow(point->ticks, (uint64_t)1 << 40, &span->ticks_end) || point->rate >> 52)
        *span = (struct ct_clock_span){ 0 };
}

/* The first tick of a straight line through (`ticks`, `ns`) that is not before `wanted`, which is not before `ns`. */
static uint64_t ticks_on(uint64_t ticks, int64_t ns, uint64_t rate, int64_t wanted)
{
    unsigned __int128 delta = (((unsigned __int128)(uint64_t)(wanted - ns) << 32) + rate - 1) / rate;

    return delta > UINT64_MAX - ticks ? UINT64_MAX : ticks + (uint64_t)delta;
}

/* The same before the first point, where ticks are counted backwards. */
static uint64_t ticks_before(const struct ct_read_clock *clock, int64_t wanted)
{
    uint64_t low = 0, high = clock->points.items[0].ticks;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (ct_read_clock_ns(clock, middle) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t ct_read_clock_ticks(const struct ct_read_clock *clock, int64_t ns)
{
    const struct ct_clock_point *p = clock->points.items;
    size_t low = 0, high = clock->points.count;
    uint64_t ticks;

    if (ns <= 0)
        return 0;
    while (low < high) {                    /* the first point that is later */
        size_t middle = low + (high - low) / 2;

        if (p[middle].ns < ns)
            low = middle + 1;
        else
            high = middle;
    }
    if (clock->points.count == 0)
        return ticks_on(0, 0, clock->rate, ns);
    if (low == 0)
        return ticks_before(clock, ns);
    ticks = ticks_on(p[low - 1].ticks, p[low - 1].ns, p[low - 1].rate, ns);
    return low < clock->points.count && ticks > p[low].ticks ? p[low].ticks : ticks;
}
