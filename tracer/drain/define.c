/* Definitions on their way out: strings, addresses, stacks, modules and thread rows that a generation needs. */
#include "drain/drain.h"

#include <string.h>

#include "format/schema.h"

static struct ct_drain_told *told_of(struct ct_drain *d, uint32_t generation)
{
    struct ct_drain_told *t = &d->told[generation % CT_TURNS];

    if (t->generation != generation)
        ct_drain_forget(d, generation);
    return t;
}

void ct_drain_forget(struct ct_drain *d, uint32_t generation)
{
    struct ct_drain_told *t = &d->told[generation % CT_TURNS];

    t->generation = generation;
    t->module_bytes = 0;
    memset(t->bits, 0, d->told_words * sizeof *t->bits);
}

/* Whether this is the first time that `generation` hears of the definition with this bit. */
static bool first_time(struct ct_drain_told *t, size_t bit)
{
    uint64_t mask = (uint64_t)1 << bit % 64;

    if (t->bits[bit / 64] & mask)
        return false;
    t->bits[bit / 64] |= mask;
    return true;
}

/* The ids of one bank that may be in use. */
static struct ct_arena_bank ids_of(const struct ct_arena_table *table, uint32_t slots, unsigned which)
{
    struct ct_arena_bank bank = ct_arena_bank(slots, which);
    uint32_t next = atomic_load_explicit(&table->next_id[which], memory_order_acquire);     /* edge DEF */

    bank.limit = next < bank.end ? next : bank.end;
    return bank;
}

static bool stamped(const _Atomic uint32_t *stamp, uint32_t generation)
{
    uint32_t s = atomic_load_explicit(stamp, memory_order_acquire);         /* edge DEF */

    /* One generation back, too: an id may be looked up just before a turn and used just after. */
    return s != 0 && s + 1 >= generation;
}

static void define_strings(struct ct_drain *d, struct ct_drain_told *t, unsigned which)
{
    const struct ct_drain_map *m = &d->map;
    struct ct_arena_bank ids = ids_of(m->strings, m->layout.string_slots, which);

    for (uint32_t id = ids.first; id < ids.limit; id++) {
        uint32_t offset, size;

        if (!stamped(&m->string[id].stamp, t->generation) || !first_time(t, id))
            continue;
        offset = m->string[id].offset;
        size = m->string[id].size;
        if (size > CT_STRING_MAX || offset > m->layout.string_bytes || size > m->layout.string_bytes - offset)
            continue;
        struct ct_string_row row = { id, { m->string_bytes + offset, size } };
        ct_string_row_put(ct_blocks_row(&d->blocks, CT_STRING_MAX + 64), &row);
    }
}

static void define_addresses(struct ct_drain *d, struct ct_drain_told *t, unsigned which)
{
    const struct ct_drain_map *m = &d->map;
    struct ct_arena_bank ids = ids_of(m->addresses, m->layout.address_slots, which);
    size_t first_bit = m->layout.string_slots;

    for (uint32_t id = ids.first; id < ids.limit; id++) {
        if (!stamped(&m->address[id].stamp, t->generation) || !first_time(t, first_bit + id))
            continue;
        struct ct_address_row row = { id, m->address[id].address };
        ct_address_row_put(ct_blocks_row(&d->blocks, 64), &row);
    }
}

static void define_stacks(struct ct_drain *d, struct ct_drain_told *t, unsigned which)
{
    const struct ct_drain_map *m = &d->map;
    struct ct_arena_bank ids = ids_of(m->stacks, m->layout.stack_slots, which);
    size_t first_bit = (size_t)m->layout.string_slots + m->layout.address_slots;
    struct ct_stack_row row;

    for (uint32_t id = ids.first; id < ids.limit; id++) {
        uint32_t offset;

        if (!stamped(&m->stack[id].stamp, t->generation) || !first_time(t, first_bit + id))
            continue;
        offset = m->stack[id].offset;
        row.id = id;
        row.truncated = m->stack[id].truncated != 0;
        row.depth = m->stack[id].depth;
        if (row.depth > CT_STACK_MAX || offset > m->layout.stack_words || row.depth > m->layout.stack_words - offset)
            continue;
        memcpy(row.pcs, m->stack_words + offset, row.depth * sizeof row.pcs[0]);
        ct_stack_row_put(ct_blocks_row(&d->blocks, (CT_STACK_MAX + 4) * CT_VARINT_MAX), &row);
    }
}

/* Rows are copied as they stand, but only as far as they can be read: a scribbled one must not spoil the file. */
static void define_modules(struct ct_drain *d, struct ct_drain_told *t, unsigned flags)
{
    const struct ct_drain_map *m = &d->map;
    uint32_t used = atomic_load_explicit(&m->modules->used, memory_order_acquire);  /* edge DEF */
    struct ct_cursor c;

    if (used > m->layout.modules_bytes || used <= t->module_bytes)
        return;
    c = ct_cursor_over(m->module_rows + t->module_bytes, used - t->module_bytes, 0);
    ct_blocks_begin(&d->blocks, CT_BLOCK_MODULES, flags, t->generation);
    while (ct_cursor_left(&c)) {
        struct ct_module_row row;

        if (ct_module_row_get(&c, &row, NULL) < 0 || row.path.size > CT_PATH_MAX ||
            row.build_id.size > CT_BUILD_ID_MAX)
            break;
        ct_module_row_put(ct_blocks_row(&d->blocks, CT_PATH_MAX + CT_BUILD_ID_MAX + 128), &row);
    }
    ct_blocks_end(&d->blocks);
    t->module_bytes = used;
    if (t->generation == d->generation)         /* a late piece is not for who begins with this one */
        d->modules_told = used;
}

void ct_drain_modules(struct ct_drain *d)
{
    if (atomic_load_explicit(&d->map.modules->used, memory_order_acquire) != d->modules_told)  /* edge DEF */
        define_modules(d, told_of(d, d->generation), d->flags);
}

void ct_drain_define(struct ct_drain *d, uint32_t generation, unsigned flags)
{
    struct ct_drain_told *t = told_of(d, generation);

    static const struct {
        enum ct_block_type type;
        void (*define)(struct ct_drain *d, struct ct_drain_told *t, unsigned which);
    } tables[] = {
        { CT_BLOCK_STRINGS, define_strings }, { CT_BLOCK_ADDRESSES, define_addresses }, { CT_BLOCK_STACKS, define_stacks },
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        ct_blocks_begin(&d->blocks, tables[i].type, flags, generation);
        tables[i].define(d, t, 0);
        tables[i].define(d, t, 1);
        ct_blocks_end(&d->blocks);
    }
    define_modules(d, t, flags);
}

/* Copies the name between two equal even sequence numbers; a writer that never ends gives up after some tries. */
static size_t read_name(struct ct_arena_thread *row, char ret[CT_NAME_MAX])
{
    uint64_t words[CT_NAME_MAX / 8];

    for (int i = 0; i < 8; i++) {
        uint32_t before = atomic_load_explicit(&row->name_sequence, memory_order_acquire);      /* edge THREAD */

        for (unsigned w = 0; w < CT_NAME_MAX / 8; w++)
            words[w] = atomic_load_explicit(&row->name[w], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);  /* edge THREAD: the copy is done before the second look */
        if (before % 2 == 0 && atomic_load_explicit(&row->name_sequence, memory_order_relaxed) == before)
            break;
    }
    memcpy(ret, words, CT_NAME_MAX);
    return strnlen(ret, CT_NAME_MAX);
}

static void put_thread(struct ct_drain *d, struct ct_arena_thread *row, bool exited)
{
    uint32_t what = atomic_load_explicit(&row->what, memory_order_relaxed);
    char name[CT_NAME_MAX];
    struct ct_thread_row out = {
        .serial = ct_arena_thread_serial(row),
        .tid = row->tid,
        .parent = row->parent,
        .routine = row->routine,
        .start_ticks = row->start_ticks,
        .exit_ticks = atomic_load_explicit(&row->exit_ticks, memory_order_relaxed),
        .state = exited ? CT_THREAD_EXITED : what >> 16,
        .reason = what & 0xffff,
        .object = atomic_load_explicit(&row->object, memory_order_relaxed),
        .since_ticks = atomic_load_explicit(&row->since_ticks, memory_order_relaxed),
        .cpu = atomic_load_explicit(&row->cpu, memory_order_relaxed),
        .lost = atomic_load_explicit(&row->lost, memory_order_relaxed),
    };

    out.name = (struct ct_text){ name, read_name(row, name) };
    ct_thread_row_put(ct_blocks_row(&d->blocks, 256), &out);
}

void ct_drain_threads(struct ct_drain *d, uint32_t generation, bool free_exited)
{
    ct_blocks_begin(&d->blocks, CT_BLOCK_THREADS, d->flags, generation);
    for (uint32_t i = 0; i < d->map.layout.thread_count; i++) {
        struct ct_arena_thread *row = &d->map.threads[i];
        uint32_t state = atomic_load_explicit(&row->state, memory_order_acquire);   /* edge THREAD */
        bool exited = state == CT_SLOT_EXITED;

        if (state == CT_SLOT_FREE && ct_arena_thread_serial(row) == 0)
            break;                      /* rows are taken in order: none behind this was ever used */
        if (state != CT_SLOT_LIVE && !exited)
            continue;
        if (exited || d->thread_told[i].serial != ct_arena_thread_serial(row) || d->thread_told[i].generation != generation)
            put_thread(d, row, exited);
        d->thread_told[i].serial = ct_arena_thread_serial(row);
        d->thread_told[i].generation = generation;
        if (exited && free_exited)
            atomic_store_explicit(&row->state, CT_SLOT_FREE, memory_order_release);
    }
    ct_blocks_end(&d->blocks);
}
