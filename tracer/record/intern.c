/* The interned tables of the arena: strings, addresses and stacks. */
#include "record/intern.h"

#include <string.h>

#include "record/emit.h"
#include "record/session_state.h"
#include "record/turn.h"

/*
 * All three work alike.  A slot holds hash << 32 | id and is filled by one compare-and-swap; entry[id] is written and
 * stamped (edge DEF) before.  Losing the race leaves an entry that nobody names: it costs its bytes only.
 * New things go to the bank in use; the other keeps what was named before the last switch (record/tables.h).
 */
enum { PROBES = 64 };

/* Marks an entry as used in `generation`.  Stamps only grow: one that fell back would leave its id undefined there. */
static inline void stamp(_Atomic uint32_t *at, uint32_t generation)
{
    uint32_t was = atomic_load_explicit(at, memory_order_relaxed);

    while (__builtin_expect(was < generation, 0) &&
           !atomic_compare_exchange_weak_explicit(at, &was, generation, memory_order_release, memory_order_relaxed))
        ;                               /* edge DEF */
}

static inline uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* The bank of a table that is in use now. */
struct bank {
    struct ct_arena_table *table;
    uint32_t which, first_slot, mask;   /* mask: of slots within the bank */
    uint32_t id_first, id_limit;
};

static inline struct bank bank_in_use(struct ct_arena_table *table, uint32_t slots)
{
    uint32_t which = atomic_load_explicit(&table->bank, memory_order_acquire) & 1;     /* edge BANK */

    struct ct_arena_bank ids = ct_arena_bank(slots, which);

    return (struct bank){ table, which, which * (slots / 2), slots / 2 - 1, ids.first, ids.limit };
}

static inline _Atomic uint64_t *slot_at(_Atomic uint64_t *slots, const struct bank *bank, uint64_t place)
{
    return &slots[bank->first_slot + (place & bank->mask)];
}

/* Whether [at, at + size) holds the place behind three quarters of [first, limit), from where on a turn changes banks. */
static inline bool is_mark(uint32_t at, uint32_t size, uint32_t first, uint32_t limit)
{
    uint32_t mark = first + (limit - first) / 4 * 3 + 1;

    return at <= mark && mark - at < size;
}

/*
 * Takes an id and `size` of the data of an entry from the bank, of which each has `data` (0: there is none).  Returns the
 * id with the data's place in `*ret_data`, or 0, which is counted, when there is no room.
 */
static uint32_t take_id(const struct bank *bank, uint32_t size, uint32_t data, uint32_t *ret_data)
{
    _Atomic uint32_t *next_id = &bank->table->next_id[bank->which], *next_data = &bank->table->next_data[bank->which];
    uint32_t id = atomic_load_explicit(next_id, memory_order_relaxed);
    uint32_t at = atomic_load_explicit(next_data, memory_order_relaxed);

    if (id >= bank->id_limit || size > data || at > data - size)
        goto full;
    id = atomic_fetch_add_explicit(next_id, 1, memory_order_relaxed);
    at = atomic_fetch_add_explicit(next_data, size, memory_order_relaxed);
    if (id >= bank->id_limit || at > data - size)
        goto full;
    *ret_data = bank->which * data + at;
    if (__builtin_expect(is_mark(id, 1, bank->id_first, bank->id_limit) || (data && is_mark(at, size, 0, data)), 0))
        ct_turn_crowded();
    return id;
full:
    atomic_fetch_add_explicit(&bank->table->full, 1, memory_order_relaxed);
    return 0;
}

static uint64_t hash_text(const char *text, size_t size)
{
    uint64_t h = size, word;

    for (; size >= 8; size -= 8, text += 8) {
        memcpy(&word, text, 8);
        h = mix(h ^ word) * 0x9e3779b97f4a7c15u;
    }
    word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)(unsigned char)text[i] << 8 * i;
    return mix(h ^ word) | 1;
}

/* Puts a new string into the bank; 0 when there is no room. */
static uint32_t add_string(struct ct_arena *a, const struct bank *bank, const char *text, uint32_t size, uint32_t generation)
{
    uint32_t offset, id = take_id(bank, size, a->layout.string_bytes / 2, &offset);
    struct ct_arena_string *entry = &ct_arena_string_entries(a)[id];

    if (!id)
        return CT_STRING_NONE;
    memcpy(ct_arena_string_bytes(a) + offset, text, size);
    entry->offset = offset;
    entry->size = size;
    stamp(&entry->stamp, generation);
    return id;
}

uint64_t ct_string_of(const char *text, size_t size)
{
    struct ct_arena *a = ct_arena;
    uint32_t generation = ct_gate_pass(), fresh = 0;
    struct bank bank;
    uint64_t hash;

    if (!generation || !a || !text || !size)
        return CT_STRING_NONE;
    bank = bank_in_use(ct_arena_strings(a), a->layout.string_slots);
    if (size > CT_STRING_MAX)
        size = CT_STRING_MAX;
    hash = hash_text(text, size);
    for (uint32_t i = 0; i < PROBES; i++) {
        _Atomic uint64_t *slot = slot_at(ct_arena_string_slots(a), &bank, hash + i);
        uint64_t v = atomic_load_explicit(slot, memory_order_acquire);      /* edge DEF */

        if (v == 0) {
            if (!fresh)
                fresh = add_string(a, &bank, text, (uint32_t)size, generation);
            if (!fresh)
                return CT_STRING_NONE;
            if (atomic_compare_exchange_strong_explicit(slot, &v, hash >> 32 << 32 | fresh, memory_order_acq_rel,
                                                        memory_order_acquire))      /* edge DEF */
                return fresh;
        }
        if (v >> 32 == hash >> 32) {
            struct ct_arena_string *entry = &ct_arena_string_entries(a)[(uint32_t)v];

            if (entry->size == size && memcmp(ct_arena_string_bytes(a) + entry->offset, text, size) == 0) {
                stamp(&entry->stamp, generation);
                return (uint32_t)v;
            }
        }
    }
    return CT_STRING_NONE;
}

struct anywhere { uint64_t word; } __attribute__((packed, may_alias));

/*
 * The bytes of `text` up to its NUL and CT_STRING_HEAD, as two words; false when reading them might leave the page.
 * It reads behind the NUL, which the address sanitizer must not hear of: loads of our own, since it watches memcpy.
 */
__attribute__((no_sanitize("address", "undefined"))) static inline bool head_of(const char *text, size_t size, uint64_t head[2])
{
    static const uint64_t keep[9] = { 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff,
                                      0xffffffffffffff, UINT64_MAX };
    size_t bytes = size + 1 < CT_STRING_HEAD ? size + 1 : CT_STRING_HEAD;

    if (((uintptr_t)text & 4095) > 4096 - CT_STRING_HEAD)
        return false;
    head[0] = ((const struct anywhere *)text)[0].word;
    head[1] = ((const struct anywhere *)text)[1].word;
    head[0] &= keep[bytes < 8 ? bytes : 8];
    head[1] &= keep[bytes < 8 ? 0 : bytes - 8];
    return true;
}

/* Whether what stands at `text` now is still the string that was known there: a buffer may have been used again. */
static inline bool still_known(const struct ct_known_string *known, const char *text, const struct ct_arena *a)
{
    uint64_t head[2];

    if (__builtin_expect(!head_of(text, known->size, head), 0))
        return strncmp(text, ct_arena_string_bytes((struct ct_arena *)a) +
                       ct_arena_string_entries((struct ct_arena *)a)[known->id].offset, known->size) == 0 &&
               text[known->size] == '\0';
    if (head[0] != known->head[0] || head[1] != known->head[1])
        return false;
    if (__builtin_expect(known->size < CT_STRING_HEAD, 1))
        return true;
    return strncmp(text, ct_arena_string_bytes((struct ct_arena *)a) +
                   ct_arena_string_entries((struct ct_arena *)a)[known->id].offset, known->size) == 0 &&
           (known->size == CT_STRING_MAX || text[known->size] == '\0');
}

/* HOT: a literal's id is found by its address, and the content compared. */
uint64_t ct_string(const char *text)
{
    struct ct_thread_room *room = ct_self.room;
    struct ct_known_string *known;
    uint32_t generation = ct_gate_pass();
    uint64_t id;
    size_t size;

    if (!text)
        return CT_STRING_NONE;
    if (!room || ct_self.owner != ct_session_serial)
        return ct_string_of(text, strnlen(text, CT_STRING_MAX));
    known = &room->strings[((uintptr_t)text >> 3 ^ (uintptr_t)text >> 9) % CT_STRING_CACHE];
    if (__builtin_expect(known->at == text && known->generation == generation && still_known(known, text, ct_arena), 1))
        return known->id;
    size = strnlen(text, CT_STRING_MAX);
    id = ct_string_of(text, size);
    known->at = NULL;                   /* a handler that interrupts us must not take a slot that is half written */
    atomic_signal_fence(memory_order_seq_cst);
    if (id && head_of(text, size, known->head)) {
        known->id = (uint32_t)id;
        known->generation = generation;
        known->size = size;
        atomic_signal_fence(memory_order_seq_cst);
        known->at = text;
    }
    return id;
}

uint64_t ct_address(const void *address)
{
    struct ct_arena *a = ct_arena;
    uint32_t generation = ct_gate_pass(), id = 0;
    uint64_t hash = mix((uintptr_t)address * 0x9e3779b97f4a7c15u) | 1;
    uint64_t raw = (uintptr_t)address | CT_ADDRESS_RAW;
    struct bank bank;

    if (!generation || !a)
        return raw;
    bank = bank_in_use(ct_arena_addresses(a), a->layout.address_slots);
    for (uint32_t i = 0; i < PROBES; i++) {
        _Atomic uint64_t *slot = slot_at(ct_arena_address_slots(a), &bank, hash + i);
        uint64_t v = atomic_load_explicit(slot, memory_order_acquire);      /* edge DEF */

        if (v == 0) {
            uint32_t no_data;

            if (!id)
                id = take_id(&bank, 0, 0, &no_data);
            if (!id)
                return raw;
            ct_arena_address_entries(a)[id].address = (uintptr_t)address;
            stamp(&ct_arena_address_entries(a)[id].stamp, generation);
            if (atomic_compare_exchange_strong_explicit(slot, &v, hash >> 32 << 32 | id, memory_order_acq_rel,
                                                        memory_order_acquire))      /* edge DEF */
                return id;
        }
        if (v >> 32 == hash >> 32) {
            struct ct_arena_address *entry = &ct_arena_address_entries(a)[(uint32_t)v];

            if (entry->address == (uintptr_t)address) {
                stamp(&entry->stamp, generation);
                return (uint32_t)v;
            }
        }
    }
    return raw;
}

static uint32_t add_stack(struct ct_arena *a, const struct bank *bank, const uint64_t *pcs, unsigned depth,
                          bool truncated, uint32_t generation)
{
    uint32_t offset, id = take_id(bank, depth, a->layout.stack_words / 2, &offset);
    struct ct_arena_stack *entry = &ct_arena_stack_entries(a)[id];

    if (!id)
        return CT_STACK_LOST;
    memcpy(ct_arena_stack_words(a) + offset, pcs, depth * sizeof *pcs);
    entry->offset = offset;
    entry->depth = (uint16_t)depth;
    entry->truncated = truncated;
    stamp(&entry->stamp, generation);
    return id;
}

static uint64_t intern_stack(struct ct_arena *a, const uint64_t *pcs, unsigned depth, bool truncated)
{
    uint32_t generation = ct_gate_pass(), fresh = 0;
    uint64_t hash = ct_unwind_hash(pcs, depth);
    struct bank bank = bank_in_use(ct_arena_stacks(a), a->layout.stack_slots);

    if (!generation)
        return CT_STACK_NONE;
    for (uint32_t i = 0; i < PROBES; i++) {
        _Atomic uint64_t *slot = slot_at(ct_arena_stack_slots(a), &bank, hash + i);
        uint64_t v = atomic_load_explicit(slot, memory_order_acquire);      /* edge DEF */

        if (v == 0) {
            if (!fresh)
                fresh = add_stack(a, &bank, pcs, depth, truncated, generation);
            if (fresh == CT_STACK_LOST)
                return CT_STACK_LOST;
            if (atomic_compare_exchange_strong_explicit(slot, &v, hash >> 32 << 32 | fresh, memory_order_acq_rel,
                                                        memory_order_acquire))      /* edge DEF */
                return fresh;
        }
        if (v >> 32 == hash >> 32) {
            struct ct_arena_stack *entry = &ct_arena_stack_entries(a)[(uint32_t)v];

            if (entry->depth == depth && memcmp(ct_arena_stack_words(a) + entry->offset, pcs, depth * 8) == 0) {
                stamp(&entry->stamp, generation);
                return (uint32_t)v;
            }
        }
    }
    return CT_STACK_LOST;
}

/*
 * The same for a stack that may be the unwinder's old acquaintance: the id it got last time is noted with it, and what
 * the id belongs to: this process's session, whose arena it is in, and the bank's turn.
 */
static uint64_t intern_noted(struct ct_arena *a, const uint64_t *pcs, unsigned depth, bool truncated, uint64_t *note)
{
    uint32_t turn = atomic_load_explicit(&ct_arena_stacks(a)->bank, memory_order_relaxed);
    uint64_t owner = (uint64_t)(ct_session_serial << 16 ^ turn) << 32, id;
    uint32_t generation = ct_gate_pass();

    if (note && (uint32_t)*note && *note >> 32 == owner >> 32 && generation) {
        stamp(&ct_arena_stack_entries(a)[(uint32_t)*note].stamp, generation);
        return (uint32_t)*note;
    }
    id = intern_stack(a, pcs, depth, truncated);
    if (note && id != CT_STACK_NONE && id != CT_STACK_LOST)
        *note = owner | id;
    return id;
}

uint64_t ct_stack_here(void)
{
    struct ct_arena *a = ct_arena;
    struct ct_thread_room *room;
    struct ct_unwind_regs regs;
    unsigned flags = 0, depth;
    uint64_t id, *note;

    if (!a || ct_options.depth == 0 || !ct_thread_attach())
        return CT_STACK_NONE;
    room = ct_self.room;
    if (!room || (room->busy && ct_thread_frame_alive(room->busy)))
        return CT_STACK_LOST;           /* a handler that interrupted a capture */
    room->busy = ct_stack_pointer();
    atomic_signal_fence(memory_order_seq_cst);
    ct_unwind_regs_here(&regs);
    depth = ct_unwind_noted(room->rules, &regs, room->stack_low, room->stack_high, room->frames, ct_options.depth, &flags,
                            &note);
    id = depth ? intern_noted(a, room->frames, depth, flags & CT_UNWIND_TRUNCATED, note) : CT_STACK_LOST;
    atomic_signal_fence(memory_order_seq_cst);
    room->busy = 0;
    return id;
}

uint64_t ct_stack_interrupted(const struct ct_unwind_regs *regs)
{
    struct ct_arena *a = ct_arena;
    struct ct_thread_room *room;
    unsigned flags = 0, depth;

    if (!a || ct_options.depth == 0 || !ct_thread_attach())
        return CT_STACK_NONE;
    room = ct_self.room;
    if (!room)
        return CT_STACK_LOST;
    depth = ct_unwind_apart(room->rules, regs, room->stack_low, room->stack_high, room->tick_frames, ct_options.depth,
                            &flags);
    return depth ? intern_stack(a, room->tick_frames, depth, flags & CT_UNWIND_TRUNCATED) : CT_STACK_LOST;
}
