/* Slices of the arena for threads to write to: taking, sealing, and what happens when there is none. */
#include "record/writer.h"


#include "format/event.h"
#include "record/arena.h"
#include "record/control_ask.h"
#include "record/emit.h"
#include "record/labels.h"
#include "record/late.h"
#include "record/session_state.h"
#include "record/syscall.h"

enum {
    CLASS_MAX = 4,                  /* 2^4 units: 64 KiB */
};

/* Slices filled within this time get a larger successor. */
static const uint64_t quick_ticks = 5000000;        /* some 30 ms */

static _Atomic uint32_t take_hint;                  /* relaxed: only where to begin to look */

static uint32_t in_use(const struct ct_arena *a)
{
    uint32_t cut = atomic_load_explicit(&a->next_unit, memory_order_relaxed);
    uint32_t freed = atomic_load_explicit(&a->free_units, memory_order_relaxed);

    return cut > freed ? cut - freed : 0;
}

/* Adds neighbours to the `have` units at `unit` while they are free and more are wanted; gives back what is too much. */
static uint32_t join_neighbours(struct ct_arena *a, uint32_t unit, uint32_t have, uint32_t want)
{
    _Atomic uint32_t *directory = ct_arena_directory(a);
    uint32_t limit = atomic_load_explicit(&a->next_unit, memory_order_relaxed);

    while (have < want && unit + have < limit) {
        uint32_t entry = atomic_load_explicit(&directory[unit + have], memory_order_acquire); /* edge FREE */
        uint32_t more = entry >> CT_SLICE_UNITS_SHIFT;

        if ((entry & CT_SLICE_STATE_MASK) != CT_SLICE_FREE || more == 0 || more > limit - unit - have ||
            !atomic_compare_exchange_strong_explicit(&directory[unit + have], &entry, CT_SLICE_CONTINUED,
                                                     memory_order_acquire, memory_order_relaxed)) /* edge FREE */
            break;
        have += more;
    }
    if (have > want) {
        atomic_store_explicit(&directory[unit + want], CT_SLICE_FREE | (have - want) << CT_SLICE_UNITS_SHIFT,
                              memory_order_release);  /* edge FREE */
        have = want;
    }
    return have;
}

/* Looks for slices that the drainer has set free, once around.  Returns units, 0 when there is none. */
static uint32_t take_free(struct ct_arena *a, uint32_t want, uint32_t *ret)
{
    _Atomic uint32_t *directory = ct_arena_directory(a);
    uint32_t count = atomic_load_explicit(&a->next_unit, memory_order_relaxed);
    uint32_t from = atomic_load_explicit(&take_hint, memory_order_relaxed);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t unit = from + i < count ? from + i : (from + i) % count;
        uint32_t entry = atomic_load_explicit(&directory[unit], memory_order_relaxed);
        uint32_t units = entry >> CT_SLICE_UNITS_SHIFT;

        if ((entry & CT_SLICE_STATE_MASK) != CT_SLICE_FREE || units == 0 || units > count - unit)
            continue;
        if (!atomic_compare_exchange_strong_explicit(&directory[unit], &entry, CT_SLICE_CONTINUED,
                                                     memory_order_acquire, memory_order_relaxed)) /* edge FREE */
            continue;
        *ret = unit;
        units = join_neighbours(a, unit, units, want);
        atomic_store_explicit(&take_hint, unit + units, memory_order_relaxed);
        return units;
    }
    return 0;
}

/*
 * The control thread did not get to run in time: the writer backs a little memory itself, which takes some 13 us.  It
 * has no descriptor for fallocate, but this fails, too, where a store would find the file system full.  Whether there is
 * more now, by us or by others who came here at the same time.
 */
static bool back_ourselves(struct ct_arena *a, uint32_t ready)
{
    uint32_t more = ready < a->layout.slice_units ? a->layout.slice_units - ready : 0;

    if (more > CT_SLICE_MAX_UNITS)
        more = CT_SLICE_MAX_UNITS;
    if (!more || ct_syscall(SYS_madvise, ct_arena_batch(a, ready), (uint64_t)more * CT_SLICE_UNIT, CT_POPULATE_WRITE) != 0)
        return false;
    atomic_compare_exchange_strong_explicit(&a->ready_units, &ready, ready + more, memory_order_release,
                                            memory_order_relaxed);      /* edge READY */
    return true;
}

/* Cuts a slice from memory that was never used.  Returns units, 0 when what is backed by memory is used up. */
static uint32_t take_new(struct ct_arena *a, uint32_t want, uint32_t *ret)
{
    uint32_t ready = atomic_load_explicit(&a->ready_units, memory_order_acquire);    /* edge READY */
    uint32_t at = atomic_load_explicit(&a->next_unit, memory_order_relaxed);

    for (;;) {
        uint32_t take = at < ready ? (ready - at < want ? ready - at : want) : 0;

        if (ready - at < ct_arena_ahead(at) / 2 && ready < a->layout.slice_units)
            ct_control_poke();
        if (take == 0) {                /* who lost what there was to others tries again, until nothing is left to back */
            if (!back_ourselves(a, ready))
                return 0;
            ready = atomic_load_explicit(&a->ready_units, memory_order_acquire);    /* edge READY */
        } else if (atomic_compare_exchange_weak_explicit(&a->next_unit, &at, at + take, memory_order_relaxed,
                                                         memory_order_relaxed)) {
            *ret = at;
            return take;
        }
    }
}

uint32_t ct_slice_take(struct ct_arena *a, uint32_t want, uint32_t *ret)
{
    uint32_t units = 0;

    if (atomic_load_explicit(&a->free_units, memory_order_relaxed) >= want) {
        units = take_free(a, want, ret);
        if (units)
            atomic_fetch_sub_explicit(&a->free_units, units, memory_order_relaxed);
    }
    if (!units)
        units = take_new(a, want, ret);
    if (!units) {
        units = take_free(a, want, ret);
        if (units)
            atomic_fetch_sub_explicit(&a->free_units, units, memory_order_relaxed);
    }
    if (in_use(a) > a->layout.slice_units / 4)
        ct_control_ring_drainer(a);
    return units;
}

void ct_writer_seal(struct ct_writer *w)
{
    struct ct_arena *a = ct_arena;
    uint32_t unit, entry;

    /* After a fork the head may still lie in what was the parent's arena. */
    if (!w->head || !a || (uint8_t *)w->head < (uint8_t *)a || (uint8_t *)w->head >= (uint8_t *)a + a->layout.size)
        return;
    unit = (uint32_t)(((uint8_t *)w->head - (uint8_t *)a - a->layout.slices_offset) / CT_SLICE_UNIT);
    entry = atomic_load_explicit(&ct_arena_directory(a)[unit], memory_order_relaxed);
    if (w->at)                          /* an emit may have been left before its last store */
        atomic_store_explicit(&w->head->used, (uint32_t)(w->at - (uint8_t *)(w->head + 1)), memory_order_release); /* edge USED */
    w->head = NULL;
    w->at = w->end = NULL;
    atomic_signal_fence(memory_order_seq_cst);      /* who is left here keeps the slice from others; the other way round it would share it */
    atomic_store_explicit(&ct_arena_directory(a)[unit], (entry & ~(uint32_t)CT_SLICE_STATE_MASK) | CT_SLICE_SEALED,
                          memory_order_release);    /* edge SEAL */
}

/* Puts the batch's head into a fresh slice and points the writer behind it. */
static void open_batch(struct ct_arena *a, struct ct_thread *self, struct ct_writer *w, uint32_t unit, uint32_t units,
                       uint64_t now)
{
    struct ct_batch_head *head = ct_arena_batch(a, unit);

    head->magic = CT_BATCH_MAGIC;
    head->generation = ct_gate_generation(w->word);
    head->batch = atomic_fetch_add_explicit(&a->next_batch, 1, memory_order_relaxed);
    head->thread = self->row ? ct_arena_thread_serial(self->row) : self->writer[1].last_ticks;
    head->base_ticks = now;
    head->flags = w == &self->writer[1];
    atomic_store_explicit(&head->used, 0, memory_order_relaxed);    /* published with the state below */
    atomic_store_explicit(&ct_arena_directory(a)[unit], CT_SLICE_ACTIVE | units << CT_SLICE_UNITS_SHIFT,
                          memory_order_release);    /* edge OPEN */
    w->last_ticks = now;                /* only then: what is written to a slice can be found */
    w->head = head;
    w->at = (uint8_t *)(head + 1);
    atomic_signal_fence(memory_order_seq_cst);
    w->end = (uint8_t *)head + (size_t)units * CT_SLICE_UNIT - CT_EVENT_FIXED_MAX;
}

/* Says in place how many events are missing.  A handler may come at any point, and leave us there. */
static void put_lost(struct ct_thread *self, struct ct_writer *w)
{
    uint64_t lost = w->lost;
    uint8_t *at = w->at;

    w->lost = 0;
    if (self->room)
        lost += atomic_exchange_explicit(&self->room->dropped, 0, memory_order_relaxed);
    if (!lost)
        return;
    *at++ = CT_EV_LOST;
    *at++ = 0;
    at = ct_varint_put(at, lost);
    atomic_signal_fence(memory_order_seq_cst);
    w->at = at;
}

static void count_lost(struct ct_thread *self, struct ct_writer *w)
{
    if (self->gone == CT_THREAD_HIDDEN)
        return;
    if (w && w->lost < CT_LOST_MAX)
        w->lost++;
    if (self->row)
        atomic_fetch_add_explicit(&self->row->lost, 1, memory_order_relaxed);
    if (ct_arena)
        atomic_fetch_add_explicit(&ct_arena->lost_events, 1, memory_order_relaxed);
}

/*
 * Both writers are in the middle of an event.  The next one that either gets finds no room, and LOST stands before it.  A slice
 * that is being opened right now may hide that; then it is told there, since a slice is open before its LOST is put.
 */
void ct_writer_drop(struct ct_thread *self)
{
    count_lost(self, NULL);
    if (!self->room || self->gone == CT_THREAD_HIDDEN)
        return;
    atomic_fetch_add_explicit(&self->room->dropped, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    self->writer[0].end = self->writer[1].end = NULL;
}

/* An emit that was left between its last two stores has moved the time on for an event that never was. */
static void find_time(struct ct_writer *w)
{
    const uint8_t *next, *fields;
    uint64_t ticks;

    if (!w->head)
        return;
    ticks = w->head->base_ticks;
    for (const uint8_t *at = (const uint8_t *)(w->head + 1); at < w->at; at = next) {
        next = ct_event_step(at, w->at, &fields);
        if (!next)
            return;
        ticks += ct_event_delta(at);
    }
    w->last_ticks = ticks;
}

unsigned ct_emit_interrupted(struct ct_thread *self)
{
    if (ct_thread_frame_alive(self->under & ~(uintptr_t)CT_EMITS))
        return self->under & CT_EMITS;
    find_time(&self->writer[0]);
    find_time(&self->writer[1]);
    self->under = (ct_stack_pointer() | CT_EMITS) - (CT_EMITS - 1);
    return 0;
}

/* A thread that fills its slices quickly gets larger ones; one that hardly uses them gets small ones again. */
static void fit_class(struct ct_writer *w, uint32_t word, uint64_t now)
{
    if (!w->head)
        return;
    if (w->word != word)
        w->unit_class -= w->unit_class > 0;
    else if (w->end && now - w->head->base_ticks < quick_ticks && w->unit_class < CLASS_MAX)
        w->unit_class++;
}

/* Who has ended had a row, whose serial it has kept where nobody writes any more, and may take a slice once more. */
static bool is_late(const struct ct_thread *self, const struct ct_writer *w)
{
    return w == &self->writer[0] && self->owner == ct_session_serial && self->writer[1].last_ticks && ct_late_admit();
}

bool ct_writer_refill(struct ct_thread *self, struct ct_writer *w, uint32_t word, uint64_t now)
{
    struct ct_arena *a = ct_arena;
    uint32_t unit, units;
    bool turned;

    if (word < CT_GATE_FIRST || !a)
        return false;
    if (self->gone == CT_THREAD_ENDED ? !is_late(self, w) : self->owner != ct_session_serial && !ct_thread_attach()) {
        count_lost(self, NULL);
        return false;
    }
    fit_class(w, word, now);
    if (__builtin_expect(self->wait != NULL, 0) && ct_wait_slice_ends)
        ct_wait_slice_ends(w);
    ct_writer_seal(w);
    turned = w->word != word;
    w->word = word;
    units = ct_slice_take(a, 1u << w->unit_class, &unit);
    if (!units) {
        count_lost(self, w);
        return false;
    }
    open_batch(a, self, w, unit, units, now);
    if (__builtin_expect(self->gone == CT_THREAD_ENDED, 0))
        ct_late_took(unit);
    put_lost(self, w);
    if (__builtin_expect(turned && w == &self->writer[0] && ct_labels_any(), 0))
        ct_labels_put(w);
    return true;
}
_Static_assert(sizeof(struct ct_batch_head) + 2 * CT_EVENT_FIXED_MAX + CT_LABELS_EVENTS_MAX + CT_EVENT_TEXT_MAX < CT_SLICE_UNIT,
               "the longest event fits the smallest slice");
