/* From what was sampled to what there was: the weights of sampled allocations and waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Allocations are sampled by a Poisson process over bytes, one in `rate` on average, so one of `size` bytes is seen with
 * probability 1 - exp(-size / rate) and stands for the inverse of that.  An allocation of 0 bytes counts as one of 1.
 * With `rate` <= 1 every allocation is seen.
 */
double ct_sampling_heap_weight(uint64_t size, uint64_t rate);

/*
 * Blocks of a stack are told apart by their sizes, as Go does by its allocator's classes: here the steps are of 8 bytes up to
 * 128 and then of an eighth at most, powers of two among them, so that a stack has a bounded number of classes.
 */
uint32_t ct_sampling_size_class(uint64_t size);

/* The largest size of a class. */
uint64_t ct_sampling_class_size(uint32_t size_class);

/* What a stack's sampled allocations stand for.  Zeroed is nothing. */
struct ct_sampling_heap {
    double objects, bytes;
};

/*
 * Adds `count` sampled allocations of `size` bytes each, weighed one by one: weighing a sum by its average size, as is
 * common, is wrong as soon as a stack allocates several sizes.
 */
void ct_sampling_heap_add(struct ct_sampling_heap *heap, uint64_t size, uint64_t count, uint64_t rate);

/* Takes them away again when they were freed. */
void ct_sampling_heap_remove(struct ct_sampling_heap *heap, uint64_t size, uint64_t count, uint64_t rate);

/* The nearest whole number, 0 for less than nothing. */
int64_t ct_sampling_round(double value);

/*
 * Waits that last `rate` or longer are all seen, shorter ones with probability ticks / rate: one that is seen has lasted
 * `rate` on average, and stands for rate / ticks waits (runtime.SetBlockProfileRate).  `dice` is a random number.
 * `rate` 0: none is seen.
 */
bool ct_sampling_wait_seen(uint64_t ticks, uint64_t rate, uint64_t dice);

/* What waits stand for.  Zeroed is nothing. */
struct ct_sampling_waits {
    double count, ticks;
};

/* Adds a wait that was seen. */
void ct_sampling_wait_add(struct ct_sampling_waits *waits, uint64_t ticks, uint64_t rate);

/* Of contended unlocks one in `fraction` is seen, whatever it cost (runtime.SetMutexProfileFraction).  0: none is seen. */
bool ct_sampling_mutex_seen(uint64_t fraction, uint64_t dice);

/* Adds one that was seen. */
void ct_sampling_mutex_add(struct ct_sampling_waits *waits, uint64_t ticks, uint64_t fraction);
