/* The arena's layout: made once by the program, checked by everybody else. */
#include "format/arena.h"

#include <stddef.h>

static uint64_t up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

/* Sizes of the tables' memory, all parts included. */
static uint64_t strings_size(const struct ct_arena_layout *l)
{
    return sizeof(struct ct_arena_table) +
           (uint64_t)l->string_slots * (sizeof(uint64_t) + sizeof(struct ct_arena_string)) + l->string_bytes;
}

static uint64_t addresses_size(const struct ct_arena_layout *l)
{
    return sizeof(struct ct_arena_table) +
           (uint64_t)l->address_slots * (sizeof(uint64_t) + sizeof(struct ct_arena_address));
}

static uint64_t stacks_size(const struct ct_arena_layout *l)
{
    return sizeof(struct ct_arena_table) +
           ((uint64_t)l->stack_slots + 1) * (sizeof(uint64_t) + sizeof(struct ct_arena_stack)) +
           (uint64_t)l->stack_words * sizeof(uint64_t);
}

/* Gives a table its place: page aligned, so that each can be backed by memory on its own. */
static uint32_t place(uint64_t *at, uint64_t size)
{
    uint32_t offset = (uint32_t)*at;

    *at = up(*at + size, CT_SLICE_UNIT);
    return offset;
}

int ct_arena_layout_make(uint64_t size, struct ct_arena_layout *ret)
{
    struct ct_arena_layout l = { .size = size / CT_SLICE_UNIT * CT_SLICE_UNIT };
    uint64_t at = up(sizeof(struct ct_arena), CT_SLICE_UNIT);
    unsigned scale = 0;                     /* tables double with each doubling of the arena, from 1 to 64 MiB */

    if (size < CT_ARENA_MIN || size > (uint64_t)1 << 31)
        return -EINVAL;
    while (scale < 6 && (uint64_t)CT_ARENA_MIN << (scale + 1) <= size)
        scale++;
    l.slice_units = (uint32_t)(size / CT_SLICE_UNIT);
    l.thread_count = 128u << scale;         /* 8192 at 64 MiB */
    l.string_slots = 256u << scale;
    l.string_bytes = (8u << 10) << scale;
    l.address_slots = 256u << scale;
    l.stack_slots = 256u << scale;          /* 16384 at 64 MiB */
    l.stack_words = 4096u << scale;         /* 2 MiB of frames at 64 MiB */
    l.modules_bytes = (16u << 10) << (scale > 4 ? 4 : scale);
    l.threads_offset = place(&at, (uint64_t)l.thread_count * sizeof(struct ct_arena_thread));
    l.directory_offset = place(&at, (uint64_t)l.slice_units * sizeof(uint32_t));
    l.strings_offset = place(&at, strings_size(&l));
    l.addresses_offset = place(&at, addresses_size(&l));
    l.stacks_offset = place(&at, stacks_size(&l));
    l.modules_offset = place(&at, sizeof(struct ct_arena_modules) + l.modules_bytes);
    l.slices_offset = (uint32_t)at;
    l.slice_units = (uint32_t)((l.size - at) / CT_SLICE_UNIT);
    *ret = l;
    return 0;
}

static bool inside(const struct ct_arena_layout *l, uint64_t offset, uint64_t size)
{
    return offset % 8 == 0 && offset >= sizeof(struct ct_arena) && offset <= l->size && size <= l->size - offset;
}

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

int ct_arena_check(const struct ct_arena *a, uint64_t size, struct ct_error *err)
{
    const struct ct_arena_layout *l = &a->layout;

    if (size < sizeof *a || a->magic != CT_ARENA_MAGIC)
        return ct_error_at(err, -EINVAL, 0, "this is not an arena of ctrace");
    if (a->version != CT_ARENA_VERSION || a->head_size != sizeof *a)
        return ct_error_at(err, -EINVAL, 8, "an arena of version %u, this ctrace reads %d", a->version, CT_ARENA_VERSION);
    if (l->size > size)
        return ct_error_at(err, -EINVAL, 16, "the arena says %llu bytes, there are %llu",
                           (unsigned long long)l->size, (unsigned long long)size);
    if (!power_of_two(l->string_slots) || !power_of_two(l->address_slots) || !power_of_two(l->stack_slots) ||
        !inside(l, l->threads_offset, (uint64_t)l->thread_count * sizeof(struct ct_arena_thread)) ||
        !inside(l, l->directory_offset, (uint64_t)l->slice_units * sizeof(uint32_t)) ||
        !inside(l, l->strings_offset, strings_size(l)) || !inside(l, l->addresses_offset, addresses_size(l)) ||
        !inside(l, l->stacks_offset, stacks_size(l)) ||
        !inside(l, l->modules_offset, sizeof(struct ct_arena_modules) + (uint64_t)l->modules_bytes) ||
        !inside(l, l->slices_offset, (uint64_t)l->slice_units * CT_SLICE_UNIT))
        return ct_error_at(err, -EINVAL, offsetof(struct ct_arena, layout), "the arena's layout points outside of it");
    return a->run_size <= sizeof a->run ? 0
        : ct_error_at(err, -EINVAL, offsetof(struct ct_arena, run_size), "the arena's description is too long");
}
