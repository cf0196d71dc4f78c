/* A hash table of values, in rows that are mapped as they are needed; changes under one lock, the dump without it. */
#include "record/values.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "format/control.h"
#include "format/value_dump.h"
#include "record/gate.h"
#include "record/session_state.h"
#include "record/syscall.h"
#include "record/thread.h"
#include "record/values_lock.h"

/*
 * EDGES
 *   edge   release side        acquire side         what the acquirer may then rely on
 *   COUNT  ct_values_new       is_profile           the profile's name is final
 *   CHUNK  add_chunk           row_at               the chunk's rows are there
 *   ROW    change_end          copy_row             a row, when `sequence` is even and the same before and after
 *
 * Rows say all there is: a forked child whose parent's other thread was changing the table makes the rest of it anew.
 */
struct row {
    _Atomic uint32_t sequence;          /* odd while it changes; edge ROW */
    uint32_t next;                      /* number + 1 of the next one of its chain, or of the free ones; 0: none */
    uint64_t value;
    /* The dump reads these while they change.  Relaxed: what `sequence` does not vouch for is not believed. */
    _Atomic uint16_t profile;           /* 0: free */
    _Atomic uint16_t depth;
    _Atomic uint32_t cut;
    _Atomic uint64_t pcs[CT_VALUE_DEPTH];
};

#define GET(field)      atomic_load_explicit(&(field), memory_order_relaxed)
#define SET(field, v)   atomic_store_explicit(&(field), v, memory_order_relaxed)

enum { CHUNK_ROWS = 1024, CHUNKS = CT_VALUES_MAX / CHUNK_ROWS, CHAINS = 8192, DEEPEST = 128 };

struct head {
    uint32_t chains[CHAINS];            /* number + 1 of the first row */
    uint64_t frames[DEEPEST];           /* where a stack is captured */
    struct ct_unwind_cache *rules;      /* of threads that nothing is recorded of */
};

static struct {
    struct ct_values_lock lock;
    _Atomic uint32_t count;             /* edge COUNT */
    struct ct_arena_profile profiles[CT_VALUE_PROFILES];
    struct head *head;                  /* NULL before the first profile */
    _Atomic(struct row *) chunks[CHUNKS];       /* edge CHUNK */
    _Atomic uint32_t used;              /* rows that were ever used; relaxed: the dump finds free ones as well */
    uint32_t free;
} all;

/* --- rows --- */

/* NULL: there is no such row. */
static struct row *row_at(uint32_t number)
{
    struct row *chunk = number < CT_VALUES_MAX ? atomic_load_explicit(&all.chunks[number / CHUNK_ROWS], memory_order_acquire)
                                               : NULL;              /* edge CHUNK */

    return chunk ? &chunk[number % CHUNK_ROWS] : NULL;
}

static uint32_t *chain_of(int profile, uint64_t value)
{
    return &all.head->chains[(value ^ (uint64_t)profile << 56) * 0x9e3779b97f4a7c15u >> 51];
}
_Static_assert(CHAINS == 1 << (64 - 51), "a chain for each hash");

/* Where the number of the row with this value stands; NULL: there is none. */
static uint32_t *find(int profile, uint64_t value)
{
    struct row *row;

    for (uint32_t *at = chain_of(profile, value); *at; at = &row->next) {
        row = row_at(*at - 1);
        if (row->value == value && GET(row->profile) == profile)
            return at;
    }
    return NULL;
}

static void change_begin(struct row *row)
{
    atomic_store_explicit(&row->sequence, atomic_load_explicit(&row->sequence, memory_order_relaxed) | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);      /* edge ROW: what is half changed is seen to be */
}

static void change_end(struct row *row)
{
    atomic_store_explicit(&row->sequence, atomic_load_explicit(&row->sequence, memory_order_relaxed) + 1, memory_order_release);  /* edge ROW */
}

static void *map(size_t size)
{
    long at = ct_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at < 0 ? NULL : (void *)at;
}

/* A row that nobody has: its number + 1, or 0 with the reason. */
static uint32_t take_row(int *ret_error)
{
    uint32_t number = all.free, used = atomic_load_explicit(&all.used, memory_order_relaxed);

    if (number) {
        all.free = row_at(number - 1)->next;
        return number;
    }
    *ret_error = -ENOSPC;
    if (used == CT_VALUES_MAX)
        return 0;
    if (!row_at(used)) {
        *ret_error = -ENOMEM;
        atomic_store_explicit(&all.chunks[used / CHUNK_ROWS], map(CHUNK_ROWS * sizeof(struct row)), memory_order_release);     /* edge CHUNK */
    }
    if (!row_at(used))
        return 0;
    atomic_store_explicit(&all.used, used + 1, memory_order_relaxed);
    return used + 1;
}

/* --- the lock --- */

/* The lock's owner left everything half done: what the rows say holds. */
static void mend(void)
{
    uint32_t used = atomic_load_explicit(&all.used, memory_order_relaxed);

    if (!all.head)
        return;
    memset(all.head->chains, 0, sizeof all.head->chains);
    all.free = 0;
    for (uint32_t i = 0; i < CT_VALUE_PROFILES; i++)
        atomic_store_explicit(&all.profiles[i].count, 0, memory_order_relaxed);
    for (uint32_t i = 0; i < used; i++) {
        struct row *row = row_at(i);
        uint32_t *list = &all.free;

        if (atomic_load_explicit(&row->sequence, memory_order_relaxed) & 1) {
            SET(row->profile, 0);
            change_end(row);
        }
        if (GET(row->profile)) {
            list = chain_of(GET(row->profile), row->value);
            atomic_fetch_add_explicit(&all.profiles[GET(row->profile) - 1].count, 1, memory_order_relaxed);
        }
        row->next = *list;
        *list = i + 1;
    }
}

static int lock(void)
{
    int r = ct_values_lock(&all.lock);

    if (r > 0)
        mend();
    return r < 0 ? r : 0;
}

static void unlock(void)
{
    ct_values_unlock(&all.lock);
}

/* --- profiles --- */

static bool is_good_name(const char *name)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t size = name ? strnlen(name, CT_VALUE_NAME) : 0;

    return size > 0 && size < CT_VALUE_NAME && name[0] != '.' && strspn(name, good) == size;
}

static bool is_taken(const char *name)
{
    static const char *const names[] = { CT_CONTROL_PROFILES, CT_CONTROL_OTHER_NAMES };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return ct_values_find(name) > 0;
}

int ct_values_find(const char *name)
{
    uint32_t count = atomic_load_explicit(&all.count, memory_order_acquire);     /* edge COUNT */

    for (uint32_t i = 0; i < count; i++)
        if (strcmp(name, all.profiles[i].name) == 0)
            return (int)i + 1;
    return -ENOENT;
}

static bool is_profile(int profile)
{
    return profile > 0 && (uint32_t)profile <= atomic_load_explicit(&all.count, memory_order_acquire);     /* edge COUNT */
}

static int make_head(void)
{
    size_t size = (sizeof(struct head) + 4095) / 4096 * 4096;
    char *at = all.head ? NULL : map(size + ct_unwind_cache_size());

    if (all.head)
        return 0;
    if (!at)
        return -ENOMEM;
    ((struct head *)at)->rules = (struct ct_unwind_cache *)(at + size);
    all.head = (struct head *)at;
    return 0;
}

/* The arena of this process, not of the parent's, tells the same. */
static void show(uint32_t i)
{
    struct ct_arena *a = ct_arena;

    if (!ct_session_is_owner())
        return;
    atomic_store_explicit(&a->profiles[i].count, atomic_load_explicit(&all.profiles[i].count, memory_order_relaxed), memory_order_relaxed);
    atomic_store_explicit(&a->profiles[i].refused, atomic_load_explicit(&all.profiles[i].refused, memory_order_relaxed), memory_order_relaxed);
    if (atomic_load_explicit(&a->profile_count, memory_order_relaxed) > i)
        return;
    memcpy(a->profiles[i].name, all.profiles[i].name, CT_VALUE_NAME);
    atomic_store_explicit(&a->profile_count, i + 1, memory_order_release);       /* edge VALUES */
}

static int make_profile(const char *name)
{
    uint32_t i = atomic_load_explicit(&all.count, memory_order_relaxed);
    int r = is_taken(name) ? -EEXIST : i == CT_VALUE_PROFILES ? -ENOSPC : make_head();

    if (r < 0)
        return r;
    strcpy(all.profiles[i].name, name);
    atomic_store_explicit(&all.count, i + 1, memory_order_release);      /* edge COUNT */
    show(i);
    return (int)i + 1;
}

int ct_values_new(const char *name)
{
    int r;

    ct_gate_open();                     /* a new process looks at itself before we hold the lock */
    r = is_good_name(name) ? lock() : -EINVAL;
    if (r < 0)
        return r;
    r = make_profile(name);
    unlock();
    return r;
}

void ct_values_show(void)
{
    if (atomic_load_explicit(&all.count, memory_order_relaxed) == 0 || lock() < 0)
        return;
    for (uint32_t i = 0; i < atomic_load_explicit(&all.count, memory_order_relaxed); i++)
        show(i);
    unlock();
}

int ct_values_count(int profile)
{
    return is_profile(profile) ? (int)atomic_load_explicit(&all.profiles[profile - 1].count, memory_order_relaxed) : -EINVAL;
}

/* --- stacks --- */

/* The thread's own cache where something is recorded of it, else the one that goes with the lock. */
static unsigned capture(const struct ct_unwind_regs *regs, unsigned max, unsigned *flags)
{
    uint64_t low, high;

    if (ct_thread_attach() && ct_self.room)
        return ct_unwind_apart(ct_self.room->rules, regs, ct_self.room->stack_low, ct_self.room->stack_high, all.head->frames,
                               max, flags);
    ct_thread_find_stack(0, &low, &high);
    return ct_unwind_apart(all.head->rules, regs, low, high, all.head->frames, max, flags);
}

static void put_stack(struct row *row, const struct ct_unwind_regs *regs, int skip)
{
    unsigned first = skip < DEEPEST - CT_VALUE_DEPTH ? (unsigned)skip : DEEPEST - CT_VALUE_DEPTH, flags = 0;
    unsigned depth = capture(regs, first + CT_VALUE_DEPTH, &flags);

    first = first < depth ? first : depth;
    SET(row->depth, (uint16_t)(depth - first));
    SET(row->cut, (flags & CT_UNWIND_TRUNCATED) != 0);
    for (unsigned i = first; i < depth; i++)
        SET(row->pcs[i - first], all.head->frames[i]);
}

/* --- values --- */

static int add(int profile, uint64_t value, const struct ct_unwind_regs *regs, int skip)
{
    struct ct_arena_profile *p = &all.profiles[profile - 1];
    int r = find(profile, value) ? -EEXIST : 0;
    uint32_t number = r == 0 ? take_row(&r) : 0, *chain = chain_of(profile, value);
    struct row *row;

    if (number) {
        row = row_at(number - 1);
        change_begin(row);
        row->value = value;
        SET(row->profile, (uint16_t)profile);
        row->next = *chain;
        put_stack(row, regs, skip);
        change_end(row);
        *chain = number;
        atomic_fetch_add_explicit(&p->count, 1, memory_order_relaxed);
        r = 0;
    } else if (r != -EEXIST) {
        atomic_fetch_add_explicit(&p->refused, 1, memory_order_relaxed);
    }
    return r;
}

int ct_values_add(int profile, const void *value, int skip)
{
    struct ct_unwind_regs regs;
    int r;

    ct_gate_open();                     /* a new process looks at itself before we hold the lock */
    r = is_profile(profile) && skip >= 0 ? lock() : -EINVAL;
    if (r < 0)
        return r;
    ct_unwind_regs_here(&regs);
    r = add(profile, (uintptr_t)value, &regs, skip);
    show((uint32_t)profile - 1);
    unlock();
    return r;
}

int ct_values_remove(int profile, const void *value)
{
    uint32_t *at, number;
    struct row *row;
    int r;

    ct_gate_open();
    r = is_profile(profile) ? lock() : -EINVAL;
    if (r < 0)
        return r;
    at = find(profile, (uintptr_t)value);
    if (at) {
        number = *at;
        row = row_at(number - 1);
        *at = row->next;
        change_begin(row);
        SET(row->profile, 0);
        row->next = all.free;
        change_end(row);
        all.free = number;
        atomic_fetch_sub_explicit(&all.profiles[profile - 1].count, 1, memory_order_relaxed);
        show((uint32_t)profile - 1);
    }
    unlock();
    return at ? 0 : -ENOENT;
}

/* --- the dump --- */

/* False when the row is not the profile's. */
static bool copy_row(const struct row *row, unsigned profile, struct ct_value_dump *to)
{
    for (int tries = 0; tries < 16; tries++) {
        uint32_t before = atomic_load_explicit(&row->sequence, memory_order_acquire);        /* edge ROW */
        bool its = GET(row->profile) == profile;
        uint16_t depth = GET(row->depth);

        to->depth = depth < CT_VALUE_DEPTH ? depth : CT_VALUE_DEPTH;
        to->cut = GET(row->cut);
        for (unsigned k = 0; k < to->depth; k++)
            to->pcs[k] = GET(row->pcs[k]);
        atomic_thread_fence(memory_order_acquire);
        if (!(before & 1) && before == atomic_load_explicit(&row->sequence, memory_order_relaxed))
            return its;
    }
    return false;
}

int ct_values_dump(unsigned profile, int fd, bool (*go_on)(void))
{
    static struct ct_value_dump rows[16];           /* the control thread's stack is small */
    const unsigned room = sizeof rows / sizeof *rows;
    uint32_t used = atomic_load_explicit(&all.used, memory_order_relaxed);
    unsigned count = 0, held = 0;

    for (uint32_t i = 0; i <= used; i++) {
        const struct row *row = i < used ? row_at(i) : NULL;
        long size = (long)(held * sizeof *rows);

        if (held == room || (i == used && held)) {
            if (ct_syscall(SYS_write, fd, rows, size) != size)
                return -ENOSPC;
            held = 0;
            go_on();                    /* all is told, whoever waits */
        }
        if (row && copy_row(row, profile, &rows[held])) {
            held++;
            count++;
        }
    }
    return (int)count;
}
