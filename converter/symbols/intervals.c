/* Sorted intervals with a running maximum, so that a search among nested ones ends early. */
#include "converter/symbols/intervals.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Real files nest a handful deep; a file made to nest a million deep gets a wrong answer, not an
 * hour.
 */
#define STEPS_MAX 512

int ct_intervals_add(struct ct_intervals *intervals, uint64_t low, uint64_t high, uint32_t value,
                     uint32_t rank)
{
    if (low >= high)
        return 0;
    if (intervals->count == intervals->room) {
        size_t room = intervals->room ? intervals->room * 2 : 64;
        struct ct_interval *items = reallocarray(intervals->items, room, sizeof(*items));

        if (!items)
            return -ENOMEM;
        intervals->items = items;
        intervals->room = room;
    }
    intervals->items[intervals->count++] = (struct ct_interval){
        .low = low,
        .high = high,
        .value = value,
        .rank = rank,
    };
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct ct_interval *a = left, *b = right;

    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

void ct_intervals_sort(struct ct_intervals *intervals)
{
    uint64_t reach = 0;

    if (intervals->count)
        qsort(intervals->items, intervals->count, sizeof(*intervals->items), compare);
    for (size_t i = 0; i < intervals->count; i++) {
        if (intervals->items[i].high > reach)
            reach = intervals->items[i].high;
        intervals->items[i].reach = reach;
    }
}

const struct ct_interval *ct_intervals_find(const struct ct_intervals *intervals, uint64_t address)
{
    size_t low = 0, high = intervals->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (intervals->items[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (unsigned steps = 0; low-- > 0 && steps < STEPS_MAX; steps++) {
        if (intervals->items[low].high > address)
            return &intervals->items[low];
        if (intervals->items[low].reach <= address)
            return NULL;
    }
    return NULL;
}

void ct_intervals_fini(struct ct_intervals *intervals)
{
    free(intervals->items);
    *intervals = (struct ct_intervals){ 0 };
}
