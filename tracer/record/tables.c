/* Switching banks.  What rests is emptied when it is needed again, several generations later. */
#include "record/tables.h"

#include <string.h>

#include "format/schema.h"

/* Where the parts of one table are, by bytes, for any of the three. */
struct parts {
    struct ct_arena_table *table;
    _Atomic uint64_t *slots;
    uint8_t *entries;
    size_t entry_size;
    uint32_t slot_count, data;          /* data: of both banks */
};

/*
 * A thread may have looked up an id just before a turn and write it just after; the drainer writes what is used in the
 * generation before.  With one to spare:
 */
enum { REST = 3, TABLES = 3 };

static void find_parts(struct ct_arena *a, struct parts ret[TABLES])
{
    const struct ct_arena_layout *l = &a->layout;

    ret[0] = (struct parts){ ct_arena_strings(a), ct_arena_string_slots(a), (uint8_t *)ct_arena_string_entries(a),
                             sizeof(struct ct_arena_string), l->string_slots, l->string_bytes };
    ret[1] = (struct parts){ ct_arena_addresses(a), ct_arena_address_slots(a), (uint8_t *)ct_arena_address_entries(a),
                             sizeof(struct ct_arena_address), l->address_slots, 0 };
    ret[2] = (struct parts){ ct_arena_stacks(a), ct_arena_stack_slots(a), (uint8_t *)ct_arena_stack_entries(a),
                             sizeof(struct ct_arena_stack), l->stack_slots, l->stack_words };
}

void ct_tables_init(struct ct_arena *a)
{
    struct parts parts[TABLES];

    find_parts(a, parts);
    for (unsigned i = 0; i < TABLES; i++)
        for (unsigned which = 0; which < 2; which++)
            atomic_store_explicit(&parts[i].table->next_id[which], ct_arena_bank(parts[i].slot_count, which).first,
                                  memory_order_relaxed);
}

/* Three quarters of the ids that are given out, or of the data. */
static bool is_nearly_full(const struct parts *p, unsigned which)
{
    struct ct_arena_bank ids = ct_arena_bank(p->slot_count, which);
    uint32_t id = atomic_load_explicit(&p->table->next_id[which], memory_order_relaxed);
    uint32_t data = atomic_load_explicit(&p->table->next_data[which], memory_order_relaxed);

    return id - ids.first > (ids.limit - ids.first) / 4 * 3 || (p->data && data > p->data / 2 / 4 * 3);
}

static void empty(const struct parts *p, unsigned which)
{
    struct ct_arena_bank ids = ct_arena_bank(p->slot_count, which);
    uint32_t half = p->slot_count / 2;

    atomic_store_explicit(&p->table->next_id[which], ids.first, memory_order_relaxed);
    memset((void *)(p->slots + which * half), 0, half * sizeof *p->slots);
    memset(p->entries + which * half * p->entry_size, 0, half * p->entry_size);
    atomic_store_explicit(&p->table->next_data[which], 0, memory_order_relaxed);
}

static void turn_table(const struct parts *p, uint32_t number, uint32_t drained)
{
    struct ct_arena_table *t = p->table;
    uint32_t bank = atomic_load_explicit(&t->bank, memory_order_relaxed);

    if (!is_nearly_full(p, bank & 1))
        return;
    if (t->retired) {
        if (number < t->retired + REST || drained <= t->retired + 1)
            return;                     /* it rests still; meanwhile what is new finds the rest of this one */
        empty(p, (bank + 1) & 1);
    }
    t->retired = number - 1;
    atomic_store_explicit(&t->bank, bank + 1, memory_order_release);        /* edge BANK */
}

void ct_tables_turn(struct ct_arena *a, uint32_t number)
{
    uint32_t drained = atomic_load_explicit(&a->drained, memory_order_relaxed);
    struct parts parts[TABLES];

    find_parts(a, parts);
    for (unsigned i = 0; i < TABLES; i++)
        turn_table(&parts[i], number, drained);
}
