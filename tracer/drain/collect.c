/* What a round finds: bytes that threads have published since the last one, slice by slice. */
#include "drain/drain.h"

#include <stdlib.h>
#include <time.h>

static int by_generation_and_batch(const void *a, const void *b)
{
    const struct ct_drain_piece *x = a, *y = b;

    if (x->generation != y->generation)
        return x->generation < y->generation ? -1 : 1;
    return x->row.batch < y->row.batch ? -1 : x->row.batch > y->row.batch;
}

/* Looks at one slice; its new bytes become a piece. */
static void collect_slice(struct ct_drain *d, uint32_t unit, uint32_t entry, uint32_t noted)
{
    uint32_t units = entry >> CT_SLICE_UNITS_SHIFT;
    bool sealed = (entry & CT_SLICE_STATE_MASK) == CT_SLICE_SEALED;
    struct ct_batch_head *head = (struct ct_batch_head *)(d->map.slices + (uint64_t)unit * CT_SLICE_UNIT);
    struct ct_drain_piece *piece = &d->pieces[d->piece_count];
    struct ct_drain_slice *slice = &d->slices[unit];
    uint32_t used, generation = head->generation;

    if (units == 0 || units > CT_SLICE_MAX_UNITS || units > d->map.layout.slice_units - unit ||
        head->magic != CT_BATCH_MAGIC || generation == 0 || generation > noted)
        return;
    used = atomic_load_explicit(&head->used, memory_order_acquire);     /* edge USED */
    if (used > units * CT_SLICE_UNIT - sizeof *head)
        return;
    if (slice->batch != head->batch + 1)
        *slice = (struct ct_drain_slice){ .batch = head->batch + 1 };
    if (used < slice->done || (used == slice->done && !sealed))
        return;
    if (!sealed && !d->all && generation == noted && used - slice->done < CT_DRAIN_LEAST)
        return;
    *piece = (struct ct_drain_piece){
        .generation = generation, .unit = unit, .from = slice->done, .to = used, .sealed = sealed,
        .row = { .batch = slice->batch - 1, .thread = head->thread, .offset = slice->done,
                 .base_ticks = head->base_ticks, .nested = head->flags & 1 },
    };
    d->piece_count++;
}

/* Whether this round takes every byte there is. */
static bool time_for_all(struct ct_drain *d)
{
    struct timespec now;
    uint64_t ns;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (ns - d->all_ns < CT_DRAIN_ALL_NS)
        return false;
    d->all_ns = ns;
    return true;
}

/* All `used` are read here, before any table: what the bytes refer to is published by then. */
void ct_drain_collect(struct ct_drain *d, uint32_t noted)
{
    uint32_t ready = atomic_load_explicit(&d->map.arena->ready_units, memory_order_acquire);     /* edge READY */
    uint32_t cut = atomic_load_explicit(&d->map.arena->next_unit, memory_order_relaxed);

    d->all |= time_for_all(d);
    d->piece_count = 0;
    d->lost = atomic_load_explicit(&d->map.arena->lost_events, memory_order_relaxed);
    if (cut > ready)
        cut = ready;
    if (cut > d->map.layout.slice_units)
        cut = d->map.layout.slice_units;
    for (uint32_t unit = 0; unit < cut; unit++) {
        uint32_t entry = atomic_load_explicit(&d->map.directory[unit], memory_order_acquire);   /* edges OPEN, SEAL */
        uint32_t state = entry & CT_SLICE_STATE_MASK;

        if (state == CT_SLICE_ACTIVE || state == CT_SLICE_SEALED)
            collect_slice(d, unit, entry, noted);
    }
    d->all = false;
    qsort(d->pieces, d->piece_count, sizeof *d->pieces, by_generation_and_batch);
}

/* Once their bytes are in the consumers' hands, sealed slices can be used again. */
void ct_drain_free_slices(struct ct_drain *d)
{
    struct ct_arena *a = d->map.arena;

    for (size_t i = 0; i < d->piece_count; i++) {
        const struct ct_drain_piece *p = &d->pieces[i];
        uint32_t entry;

        d->slices[p->unit].done = p->to;
        if (!p->sealed)
            continue;
        entry = atomic_load_explicit(&d->map.directory[p->unit], memory_order_relaxed);     /* nobody else writes it */
        d->slices[p->unit] = (struct ct_drain_slice){ 0 };
        atomic_store_explicit(&d->map.directory[p->unit],
                              CT_SLICE_FREE | (entry & ~(uint32_t)CT_SLICE_STATE_MASK),
                              memory_order_release);    /* edge FREE */
        atomic_fetch_add_explicit(&a->free_units, entry >> CT_SLICE_UNITS_SHIFT, memory_order_relaxed);
    }
}
