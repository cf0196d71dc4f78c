/* Weights: one over the probability of having been seen. */
#include "converter/profile/sampling.h"

#include <math.h>

double ct_sampling_heap_weight(uint64_t size, uint64_t rate)
{
    if (rate <= 1)
        return 1;
    if (size == 0)
        size = 1;
    /* expm1 keeps what 1 - exp would lose of small sizes */
    return -1 / expm1(-(double)size / (double)rate);
}

void ct_sampling_heap_add(struct ct_sampling_heap *heap, uint64_t size, uint64_t count, uint64_t rate)
{
    double objects = (double)count * ct_sampling_heap_weight(size, rate);

    heap->objects += objects;
    heap->bytes += objects * (double)size;
}

void ct_sampling_heap_remove(struct ct_sampling_heap *heap, uint64_t size, uint64_t count, uint64_t rate)
{
    double objects = (double)count * ct_sampling_heap_weight(size, rate);

    heap->objects -= objects;
    heap->bytes -= objects * (double)size;
}

int64_t ct_sampling_round(double value)
{
    if (!(value > 0))
        return 0;
    return value < 9.2e18 ? llround(value) : INT64_MAX;
}

bool ct_sampling_wait_seen(uint64_t ticks, uint64_t rate, uint64_t dice)
{
    return rate > 0 && (ticks >= rate || dice % rate < ticks);
}

void ct_sampling_wait_add(struct ct_sampling_waits *waits, uint64_t ticks, uint64_t rate)
{
    bool rare = ticks < rate && ticks > 0;

    waits->count += rare ? (double)rate / (double)ticks : 1;
    waits->ticks += (double)(rare ? rate : ticks);
}

bool ct_sampling_mutex_seen(uint64_t fraction, uint64_t dice)
{
    return fraction > 0 && dice % fraction == 0;
}

void ct_sampling_mutex_add(struct ct_sampling_waits *waits, uint64_t ticks, uint64_t fraction)
{
    waits->count += (double)fraction;
    waits->ticks += (double)fraction * (double)ticks;
}
