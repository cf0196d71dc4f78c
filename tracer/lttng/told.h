/* What an event's arguments mean: the arena's ids as LTTng's viewers know things, addresses, texts, thread numbers, ns. */
#pragma once

#include "format/arena.h"
#include "format/arguments.h"
#include "format/schema.h"
#include "format/tap.h"

/* HOT while a session wants the event: no call, no lock, nothing that a handler could not do as well. */

enum { TOLD_STRINGS = 3 };

struct told {
    const struct ct_tap_source *from;
    struct ct_arena *arena;
    struct { const char *at; uint32_t size; } strings[TOLD_STRINGS];
    const uint64_t *pcs;                /* return addresses, innermost first; a last 0 says that callers are missing */
    uint16_t depth;
};

static inline uint64_t told_ns(const struct told *told, uint64_t ticks)
{
    return (uint64_t)((double)ticks * 1e9 / (double)told->arena->ticks_per_second);
}

static inline uint64_t told_address(const struct told *told, uint64_t id)
{
    if (id & CT_ADDRESS_RAW)
        return id & ~CT_ADDRESS_RAW;
    return id < told->arena->layout.address_slots ? ct_arena_address_entries(told->arena)[id].address : 0;
}

/* Threads are told by their number, as the context `vtid` has it.  0: nobody knows it any more. */
static inline uint32_t told_tid(const struct told *told, uint64_t serial)
{
    return told->from->tid(serial);
}

static inline void told_string(struct told *told, unsigned i, uint64_t id)
{
    const struct ct_arena_string *entry = &ct_arena_string_entries(told->arena)[id];
    bool known = id >= CT_ID_FIRST && id < told->arena->layout.string_slots;

    told->strings[i].at = known ? ct_arena_string_bytes(told->arena) + entry->offset : "";
    told->strings[i].size = known ? entry->size : 0;
}

static inline bool told_stack_is_whole(const struct told *told, uint64_t id)
{
    return id >= CT_ID_FIRST && id < told->arena->layout.stack_slots && !ct_arena_stack_entries(told->arena)[id].truncated;
}

static inline void told_stack(struct told *told, uint64_t id)
{
    const struct ct_arena_stack *entry = &ct_arena_stack_entries(told->arena)[id];

    told->pcs = ct_arena_stack_words(told->arena) + entry->offset;
    told->depth = entry->depth;
}

/* The same with a 0 behind, in `to`, of CT_STACK_MAX + 1. */
static inline void told_stack_cut(struct told *told, uint64_t id, uint64_t *to)
{
    told->depth = 0;
    if (id >= CT_ID_FIRST && id < told->arena->layout.stack_slots)
        told_stack(told, id);
    for (unsigned i = 0; i < told->depth && i < CT_STACK_MAX; i++)
        to[i] = told->pcs[i];
    to[told->depth] = 0;
    told->pcs = to;
    told->depth += id != CT_STACK_NONE;
}
