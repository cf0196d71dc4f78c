/* Weights: one over the probability of having been seen. */
#include "converter/profile/sampling.h"

/*
 * 1 - exp(-x) for x > 0.  Not libm's expm1(): inside a served program this would be all that is wanted of it, and its pages
 * are a third of a megabyte.  Halved, a few terms are enough; doubled again, nothing is lost, as 1 - e^-2x = y (2 - y).
 */
static double chance(double x)
{
    unsigned halves = 0;
    double y;

    if (x > 40)
        return 1;
    for (; x > 0.01; halves++)
        x /= 2;
    y = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6)))));
    for (; halves; halves--)
        y *= 2 - y;
    return y;
}

double ct_sampling_heap_weight(uint64_t size, uint64_t rate)
{
    if (rate <= 1)
        return 1;
    if (size == 0)
        size = 1;
    return 1 / chance((double)size / (double)rate);
}

enum { STEP = 8, STEPS_A_DOUBLING = 8, SMALL = 2 * STEP * STEPS_A_DOUBLING, SMALL_CLASSES = SMALL / STEP };
static const uint64_t large = (uint64_t)1 << 62;        /* what is larger cannot have been allocated */

uint32_t ct_sampling_size_class(uint64_t size)
{
    unsigned shift;

    if (size <= SMALL)
        return (uint32_t)((size + STEP - 1) / STEP);
    size = (size < large ? size : large) - 1;
    shift = 60 - (unsigned)__builtin_clzll(size);       /* leaves the highest four bits: 8 to 15 */
    return SMALL_CLASSES + (shift - 4) * STEPS_A_DOUBLING + (uint32_t)(size >> shift) - 7;
}

uint64_t ct_sampling_class_size(uint32_t size_class)
{
    uint32_t step;

    if (size_class <= SMALL_CLASSES)
        return (uint64_t)size_class * STEP;
    step = size_class - SMALL_CLASSES - 1;
    return (uint64_t)(9 + step % STEPS_A_DOUBLING) << (4 + step / STEPS_A_DOUBLING);
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
    return value < 9.2e18 ? (int64_t)(value + 0.5) : INT64_MAX;
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
