/* Growth of the heap: sums, bursts, libc's arenas, and the mappings of other allocators. */
#include "wrap/growth.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "record/emit.h"
#include "record/heap_ask.h"
#include "record/hot.h"
#include "record/intern.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

extern void *__curbrk;

CT_HOT_DATA bool ct_arenas_known;
CT_EARLY_DATA static bool arenas_usual;           /* of libc, and no tunable says otherwise */
CT_EARLY_DATA static bool listening;
struct ct_growth ct_arenas[CT_ARENAS];

static struct ct_growth by_brk;
static _Atomic int64_t held;            /* relaxed: a sum of what was seen to come and go */
static uintptr_t allocator, allocator_end;

/*
 * struct malloc_state and heap_info of glibc, the same from 2.26 on.  A heap's size is another with tunables for huge pages,
 * and would lead us to memory that is not there.
 */
static bool are_arenas_known(void)
{
    const char *version = gnu_get_libc_version();
    unsigned minor = 0;

    if (version[0] != '2' || version[1] != '.')
        return false;
    for (version += 2; *version >= '0' && *version <= '9' && minor < 100; version++)
        minor = minor * 10 + (unsigned)(*version - '0');
    return sizeof(void *) == 8 && minor >= 26 && minor <= 42;
}

/* Under `ctrace record` calls are led through us before the allocator is known. */
void ct_growth_listen(void)
{
    listening = true;
    ct_arenas_known = arenas_usual && are_arenas_known();
}

CT_EARLY_CODE void ct_growth_know_allocator(const void *code, bool is_libc)
{
    CT_EARLY_DATA static char name[] = "GLIBC_TUNABLES";
    const char *tunables = getenv(name);
    struct dl_find_object o;

    if (is_libc) {
        arenas_usual = !(tunables && strstr(tunables, "hugetlb"));
        if (listening)
            ct_growth_listen();
    } else if (_dl_find_object((void *)(uintptr_t)code, &o) == 0 && o.dlfo_link_map->l_prev) {
        allocator = (uintptr_t)o.dlfo_map_start;    /* not the program itself, whose mappings are its own */
        allocator_end = (uintptr_t)o.dlfo_map_end;
    }
}

bool ct_growth_is_allocators(const void *code)
{
    return (uintptr_t)code - allocator < allocator_end - allocator;
}

/* What took `ticks` may lie back a while: it is told as having ended now, and begun no earlier than this thread's last event. */
static void emit(uint64_t now, uint64_t ticks, unsigned how, int64_t bytes)
{
    uint64_t last = ct_self.writer[0].last_ticks > ct_self.writer[1].last_ticks ? ct_self.writer[0].last_ticks
                                                                               : ct_self.writer[1].last_ticks;
    uint64_t dur = now > last && ticks > now - last ? now - last : ticks;
    int64_t total = atomic_load_explicit(&held, memory_order_relaxed);

    if (bytes > 0)
        EMIT(HEAP_GROW, .time = now, .dur = dur, .how = how, .bytes = (uint64_t)bytes, .total = total > 0 ? (uint64_t)total : 0,
             .at = ct_stack_here());
    else if (bytes < 0)
        EMIT(HEAP_SHRINK, .time = now, .dur = dur, .how = how, .bytes = (uint64_t)-bytes, .total = total > 0 ? (uint64_t)total : 0,
             .at = ct_stack_here());
}

/* Purged memory is mapped as before. */
static void count(unsigned how, int64_t bytes)
{
    if (how != CT_HOW_PURGE)
        atomic_fetch_add_explicit(&held, bytes, memory_order_relaxed);
}

void ct_growth_tell(uint64_t start, unsigned how, int64_t bytes)
{
    uint64_t now;

    count(how, bytes);
    if (bytes == 0 || !ct_recording(CT_CAT_heap))
        return;
    now = ct_clock_now();
    emit(now, start && now > start ? now - start : 0, how, bytes);
}

static void flush(struct ct_growth *g, uint64_t now, unsigned how)
{
    int64_t bytes = atomic_exchange_explicit(&g->bytes, 0, memory_order_relaxed);
    uint64_t ticks = atomic_exchange_explicit(&g->ticks, 0, memory_order_relaxed);

    atomic_store_explicit(&g->since, now, memory_order_relaxed);
    emit(now, ticks, how, bytes);
}

enum { A_BURST = 1 << 20 };

void ct_growth_changed(struct ct_growth *g, uint64_t start, unsigned how, int64_t bytes)
{
    uint64_t now, ms, quiet;
    int64_t pending;

    if (bytes == 0 || !ct_recording(CT_CAT_heap)) {
        count(how, bytes);
        return;
    }
    now = ct_clock_now();
    ms = ct_arena->ticks_per_second / 1000;
    pending = atomic_load_explicit(&g->bytes, memory_order_relaxed);
    if ((pending < 0 && bytes > 0) || (pending > 0 && bytes < 0))
        flush(g, now, how);             /* else one would be taken from the other */
    count(how, bytes);
    pending = atomic_fetch_add_explicit(&g->bytes, bytes, memory_order_relaxed) + bytes;
    if (start && now > start)
        atomic_fetch_add_explicit(&g->ticks, now - start, memory_order_relaxed);
    quiet = now - atomic_exchange_explicit(&g->last, now, memory_order_relaxed);
    if (quiet > ms || pending >= A_BURST || pending <= -A_BURST ||
        now - atomic_load_explicit(&g->since, memory_order_relaxed) > 10 * ms)
        flush(g, now, how);
}

void ct_growth_brk(uint64_t start, int64_t bytes)
{
    ct_growth_changed(&by_brk, start, CT_HOW_BRK, bytes);
}

/* Of the same time, which is no more known of one than of the other.  What lay at the end is not told once more among the pages. */
void ct_growth_trimmed(uint64_t start, uint64_t now, int64_t brk_bytes, int64_t resident)
{
    count(CT_HOW_BRK, brk_bytes);
    if (!ct_recording(CT_CAT_heap))
        return;
    if (atomic_load_explicit(&by_brk.bytes, memory_order_relaxed))
        flush(&by_brk, start, CT_HOW_BRK);
    if (brk_bytes)
        emit(now, now - start, CT_HOW_BRK, brk_bytes);
    if (resident < brk_bytes)
        emit(now, now - start, CT_HOW_PURGE, resident - brk_bytes);
}

void ct_growth_look_anew(int64_t brk_bytes)
{
    count(CT_HOW_BRK, brk_bytes);
    for (unsigned i = 0; i < CT_ARENAS; i++) {
        const char *arena = atomic_load_explicit(&ct_arenas[i].arena, memory_order_relaxed);
        size_t bytes = arena ? ct_arena_bytes(arena) : 0;

        count(CT_HOW_ARENA, (int64_t)(bytes - atomic_exchange_explicit(&ct_arenas[i].known, bytes, memory_order_relaxed)));
    }
}

void ct_growth_finish(void)
{
    uint64_t now;

    if (!ct_recording(CT_CAT_heap))
        return;
    now = ct_clock_now();
    if (atomic_load_explicit(&by_brk.bytes, memory_order_relaxed))
        flush(&by_brk, now, CT_HOW_BRK);
    for (unsigned i = 0; i < CT_ARENAS; i++)
        if (atomic_load_explicit(&ct_arenas[i].bytes, memory_order_relaxed))
            flush(&ct_arenas[i], now, CT_HOW_ARENA);
}

/* Two arenas that share a place would take each other's sizes for changes: the second one is not looked at. */
void ct_arena_look(const char *arena, uint64_t start)
{
    struct ct_growth *g = ct_arena_place(arena);
    const void *none = NULL;
    size_t bytes = ct_arena_bytes(arena), before;

    if (!atomic_compare_exchange_strong_explicit(&g->arena, &none, arena, memory_order_relaxed, memory_order_relaxed) &&
        none != arena)
        return;
    before = atomic_exchange_explicit(&g->known, bytes, memory_order_relaxed);
    ct_growth_changed(g, start, CT_HOW_ARENA, (int64_t)(bytes - before));
}
