/* What a recorder does to an arena, a step at a time. */
#include "writer.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "format/varint.h"

static uint64_t now_ns(int clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void describe(struct ct_arena *a)
{
    struct ct_buffer b = ct_buffer_over(a->run, sizeof a->run);
    struct ct_run run = { .pid = a->pid, .clock = a->clock, .ticks_per_second = a->ticks_per_second,
                          .program = { "writer", 6 } };

    memcpy(run.arena_id, a->arena_id, sizeof run.arena_id);
    ct_run_put(&b, &run);
    a->run_size = (uint32_t)ct_buffer_used(&b);
}

struct ct_arena *writer_arena(uint64_t size)
{
    struct ct_arena *a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert(a != MAP_FAILED);
    a->version = CT_ARENA_VERSION;
    a->head_size = sizeof *a;
    assert(ct_arena_layout_make(size, &a->layout) == 0);
    memset(a->arena_id, 0x5a, sizeof a->arena_id);
    a->pid = (uint32_t)getpid();
    a->clock = CT_CLOCK_MONOTONIC;
    a->ticks_per_second = 1000000000;
    atomic_store(&ct_arena_strings(a)->next_id[0], CT_ID_FIRST);
    atomic_store(&ct_arena_addresses(a)->next_id[0], CT_ID_FIRST);
    atomic_store(&ct_arena_stacks(a)->next_id[0], CT_ID_FIRST);
    atomic_store(&a->next_batch, 1);
    atomic_store(&a->next_serial, 1);
    atomic_store(&a->ready_units, a->layout.slice_units);
    describe(a);
    a->magic = CT_ARENA_MAGIC;
    return a;
}

void writer_free(struct ct_arena *a)
{
    munmap(a, a->layout.size);
}

static struct ct_clock_sample sample(void)
{
    uint64_t monotonic = now_ns(CLOCK_MONOTONIC);

    return (struct ct_clock_sample){ monotonic, monotonic, now_ns(CLOCK_REALTIME) };
}

void writer_turn(struct ct_arena *a, uint32_t number)
{
    struct ct_arena_turn *turn = &a->turns[number % CT_TURNS];

    turn->number = number;
    turn->before = sample();
    turn->start.clock = sample();
    atomic_store_explicit(&a->phase, CT_ARENA_RECORDING, memory_order_relaxed);
    atomic_store_explicit(&a->generation, number, memory_order_release);    /* edge TURN */
}

void writer_use_string(struct ct_arena *a, uint32_t id, uint32_t generation)
{
    atomic_store_explicit(&ct_arena_string_entries(a)[id].stamp, generation, memory_order_release); /* edge DEF */
}

uint32_t writer_string(struct ct_arena *a, const char *text, uint32_t generation)
{
    struct ct_arena_table *strings = ct_arena_strings(a);
    uint32_t size = (uint32_t)strlen(text), id = atomic_fetch_add(&strings->next_id[0], 1);
    uint32_t offset = atomic_fetch_add(&strings->next_data[0], size);

    memcpy(ct_arena_string_bytes(a) + offset, text, size);
    ct_arena_string_entries(a)[id].offset = offset;
    ct_arena_string_entries(a)[id].size = size;
    writer_use_string(a, id, generation);
    return id;
}

uint32_t writer_slice(struct ct_arena *a, uint32_t units, uint32_t generation, uint64_t thread)
{
    uint32_t unit = atomic_fetch_add(&a->next_unit, units);
    struct ct_batch_head *head = ct_arena_batch(a, unit);

    *head = (struct ct_batch_head){ .magic = CT_BATCH_MAGIC, .generation = generation, .thread = thread,
                                    .batch = atomic_fetch_add(&a->next_batch, 1),
                                    .base_ticks = now_ns(CLOCK_MONOTONIC) };
    for (uint32_t i = 1; i < units; i++)
        atomic_store(&ct_arena_directory(a)[unit + i], CT_SLICE_CONTINUED);
    atomic_store_explicit(&ct_arena_directory(a)[unit], CT_SLICE_ACTIVE | units << CT_SLICE_UNITS_SHIFT,
                          memory_order_release);    /* edge OPEN */
    return unit;
}

void writer_marks(struct ct_arena *a, uint32_t unit, uint32_t string, unsigned count)
{
    struct ct_batch_head *head = ct_arena_batch(a, unit);

    for (unsigned i = 0; i < count; i++) {
        uint8_t *from = (uint8_t *)(head + 1) + atomic_load(&head->used), *at = from;

        *at++ = CT_EV_MARK;
        at = ct_varint_put(at, 1);
        at = ct_varint_put(at, string);
        atomic_fetch_add_explicit(&head->used, (uint32_t)(at - from), memory_order_release);    /* edge USED */
    }
}

void writer_seal(struct ct_arena *a, uint32_t unit)
{
    uint32_t units = atomic_load(&ct_arena_directory(a)[unit]) >> CT_SLICE_UNITS_SHIFT;

    atomic_store_explicit(&ct_arena_directory(a)[unit], CT_SLICE_SEALED | units << CT_SLICE_UNITS_SHIFT,
                          memory_order_release);    /* edge SEAL */
}

struct ct_arena_thread *writer_thread(struct ct_arena *a, uint32_t row, uint64_t serial, const char *name)
{
    struct ct_arena_thread *t = &ct_arena_threads(a)[row];
    char padded[CT_NAME_MAX] = { 0 };

    strncpy(padded, name, sizeof padded - 1);
    memcpy(t->name, padded, sizeof padded);
    t->tid = (uint32_t)(1000 + serial);
    atomic_store(&t->serial, serial);
    atomic_store_explicit(&t->state, CT_SLOT_LIVE, memory_order_release);       /* edge THREAD */
    return t;
}
