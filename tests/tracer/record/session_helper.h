/* A recording inside a test: an arena without a drainer, and a reader of its batches. */
#pragma once

#include "format/event.h"
#include "record/annotate.h"
#include "record/control_ask.h"
#include "record/emit.h"
#include "record/options.h"
#include "record/session.h"
#include "record/writer.h"

/* Opens the session of this process (once) with an arena of `buffer` bytes and starts recording. */
static inline void recording_begin(uint64_t buffer)
{
    struct ct_session_options options;

    if (!ct_arena) {
        ct_gate_set(0);
        ct_options_default(&options);
        options.buffer = buffer;
        assert_int_equal(ct_session_open(&options), 0);
    }
    assert_int_equal(ct_control_ask(CT_ASK_START, -1, NULL), 0);
}

static inline void recording_end(void)
{
    assert_int_equal(ct_control_ask(CT_ASK_STOP, -1, NULL), 0);
}

typedef void recording_visit(void *context, const struct ct_batch_head *batch, const struct ct_event *e);

static inline uint32_t recording_state(uint32_t unit)
{
    return atomic_load(&ct_arena_directory(ct_arena)[unit]) & CT_SLICE_STATE_MASK;
}

/* Each event of the batch that begins at `unit`; fails the test where bytes do not decode. */
static inline void recording_each_of(uint32_t unit, recording_visit *visit, void *context)
{
    struct ct_batch_head *batch = ct_arena_batch(ct_arena, unit);
    uint64_t ticks = batch->base_ticks;
    struct ct_cursor c;

    assert_int_equal(batch->magic, CT_BATCH_MAGIC);
    c = ct_cursor_over(batch + 1, atomic_load(&batch->used), 0);
    while (ct_cursor_left(&c)) {
        struct ct_event event;
        struct ct_error error;

        assert_non_null(ct_schema_event(*c.at));
        assert_int_equal(ct_event_get(&c, ct_schema_event(*c.at), ticks, &event, &error), 0);
        ticks = event.ticks;
        visit(context, batch, &event);
    }
}

/* Calls `visit` for each event of each batch that can be seen. */
static inline void recording_each(recording_visit *visit, void *context)
{
    for (uint32_t unit = 0; unit < ct_arena->layout.slice_units; unit++)
        if (recording_state(unit) == CT_SLICE_ACTIVE || recording_state(unit) == CT_SLICE_SEALED)
            recording_each_of(unit, visit, context);
}

/* As a drainer would: slices that are sealed become free. */
static inline uint32_t recording_free(void)
{
    struct ct_arena *a = ct_arena;
    uint32_t freed = 0;

    if (!a)
        return 0;

    for (uint32_t unit = 0; unit < a->layout.slice_units; unit++) {
        uint32_t entry = atomic_load(&ct_arena_directory(a)[unit]), units = entry >> CT_SLICE_UNITS_SHIFT;

        if ((entry & CT_SLICE_STATE_MASK) != CT_SLICE_SEALED)
            continue;
        atomic_store(&ct_arena_directory(a)[unit], CT_SLICE_FREE | units << CT_SLICE_UNITS_SHIFT);
        atomic_fetch_add(&a->free_units, units);
        freed += units;
    }
    atomic_store(&a->drained, atomic_load(&a->generation));
    return freed;
}

/* The same, and what was in them is visited before. */
static inline void recording_drain(recording_visit *visit, void *context)
{
    for (uint32_t unit = 0; unit < ct_arena->layout.slice_units; unit++)
        if (recording_state(unit) == CT_SLICE_SEALED)
            recording_each_of(unit, visit, context);
    recording_free();
}
