/* A checked copy of an arena's layout, and pointers made from it. */
#include "drain/drain.h"

#include <errno.h>
#include <string.h>

static void *at(const struct ct_drain_map *m, uint64_t offset)
{
    return (uint8_t *)m->arena + offset;
}

int ct_drain_map_make(struct ct_arena *arena, uint64_t size, struct ct_drain_map *ret, struct ct_error *err)
{
    struct ct_drain_map m = { .arena = arena, .size = size };
    struct ct_arena head;
    const struct ct_arena_layout *l = &m.layout;
    int r;

    if (size < sizeof head)
        return ct_error_at(err, -EINVAL, 0, "an arena of %llu bytes is too small", (unsigned long long)size);
    memcpy(&head, arena, sizeof head);      /* checked and used is the same copy */
    r = ct_arena_check(&head, size, err);
    if (r < 0)
        return r;
    m.layout = head.layout;
    m.threads = at(&m, l->threads_offset);
    m.directory = at(&m, l->directory_offset);
    m.slices = at(&m, l->slices_offset);
    m.strings = at(&m, l->strings_offset);
    m.string = (void *)((_Atomic uint64_t *)(m.strings + 1) + l->string_slots);
    m.string_bytes = (const char *)(m.string + l->string_slots);
    m.addresses = at(&m, l->addresses_offset);
    m.address = (void *)((_Atomic uint64_t *)(m.addresses + 1) + l->address_slots);
    m.stacks = at(&m, l->stacks_offset);
    m.stack = (void *)((_Atomic uint64_t *)(m.stacks + 1) + l->stack_slots);
    m.stack_words = (const uint64_t *)(m.stack + l->stack_slots + (l->stack_slots & 1));
    m.modules = at(&m, l->modules_offset);
    m.module_rows = (const uint8_t *)(m.modules + 1);
    *ret = m;
    return 0;
}
