/* The slots that calls of wrapped functions go through, led where those wrappers lead. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "record/gate.h"
#include "record/hot.h"
#include "record/syscall.h"
#include "wrap/bound.h"
#include "wrap/passing.h"
#include "wrap/past.h"
#include "wrap/real.h"

/*
 * A wrapper is a jump through a word (wrap/route.c), and who calls it jumps to it through a slot of his own.  What the word
 * leads to may as well stand in the slot: a jump less in each call, and two lines of the cache.  Of modules that came with
 * the program, which are never unloaded; only slots that calls go through: pointers to functions keep being the wrappers.
 *
 * Who leads words leads the slots after them.  The program may patch slots of its own: what does not hold what we put there
 * is somebody else's from then on.
 */

static struct ct_bound bound;
static _Atomic long leader;             /* the process that leads them; 0: none does */
static _Atomic bool kept;
CT_EARLY_DATA static _Atomic bool bypassed;

/* Where it should lead. */
typedef uintptr_t (*destination)(const struct ct_bound_slot *slot);

static bool protect(const struct ct_bound_module *m, int how)
{
    return ct_syscall(SYS_mprotect, m->relro, m->relro_end - m->relro, how) == 0;
}

/* Relaxed: a call that still goes the old way is one that was made a moment before. */
CT_EARLY_CODE static bool lead_slot(struct ct_bound_slot *s, uintptr_t to)
{
    uintptr_t before = s->holds, next = s->next;

    s->next = to;
    if (!__atomic_compare_exchange_n(s->at, &before, to, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
        !__atomic_compare_exchange_n(s->at, &next, to, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        s->at = NULL;
        return false;
    }
    s->holds = to;
    return true;
}

/* Asked once, if at all. */
enum may { UNASKED, MAY, MAY_NOT };

CT_EARLY_CODE static bool may_protect(enum may *may)
{
    if (*may == UNASKED)
        *may = ct_bound_filtered_since(&bound) ? MAY_NOT : MAY;
    return *may == MAY;
}

/* Pages that somebody else writes to stay open: he may believe that they are. */
CT_EARLY_CODE static void lead_module(struct ct_bound_module *m, destination to, enum may *may)
{
    const struct ct_bound_slot *end = m->slots + m->count;
    bool opened = false;

    for (struct ct_bound_slot *s = m->slots; s < end; s++) {
        uintptr_t wanted = s->at ? to(s) : 0;

        if (!s->at || wanted == s->holds)
            continue;
        if (!opened && !(may_protect(may) && protect(m, PROT_READ | PROT_WRITE)))
            return;
        opened = true;
        m->shared |= !lead_slot(s, wanted);
    }
    if (opened && !m->shared)
        protect(m, PROT_READ);
}

/*
 * In a forked child nobody does what its parent did.  Not for ever: the other one may be what the calling handler
 * interrupted.
 */
static bool lock(void)
{
    long self = ct_syscall(SYS_getpid);

    for (unsigned i = 0; i < 10000; i++) {
        long other = atomic_load_explicit(&leader, memory_order_relaxed);

        if (other != self && atomic_compare_exchange_strong_explicit(&leader, &other, self, memory_order_acquire,
                                                                     memory_order_relaxed))
            return true;
        ct_syscall(SYS_sched_yield);
    }
    return false;
}

CT_EARLY_CODE static void lead(destination to)
{
    enum may may = UNASKED;

    if (!bound.module_count || !lock())
        return;
    for (unsigned i = 0; i < bound.module_count; i++)
        lead_module(&bound.modules[i], to, &may);
    atomic_store_explicit(&leader, 0, memory_order_release);
}

static uintptr_t to_wrapper(const struct ct_bound_slot *slot)
{
    return slot->wrapper;
}

/* --- a program that the recorder was merely loaded into --- */

CT_EARLY_CODE static uintptr_t to_real(const struct ct_bound_slot *slot)
{
    uintptr_t real = (uintptr_t)ct_real_symbol(slot->name);

    return real ? real : slot->wrapper;
}

/* With libctrace it will be recorded, sooner or later. */
CT_EARLY_CODE void ct_slots_bypass(void)
{
    ct_bound_find(&bound, false);
    if (!bound.module_count || ct_real_symbol("trace_start") || bound.filters != 0)
        return;
    lead(to_real);
    atomic_store_explicit(&bypassed, true, memory_order_relaxed);
}

void ct_slots_restore(void)
{
    if (atomic_exchange_explicit(&bypassed, false, memory_order_relaxed))
        lead(to_wrapper);
}

/* --- one that is recorded --- */

/* What the jump at `wrapper` goes through, as gcc or clang make it; NULL when it is another kind of jump. */
static const uintptr_t *word_of(uintptr_t wrapper)
{
#if defined(__x86_64__)
    static const uint8_t landing[] = { 0xf3, 0x0f, 0x1e, 0xfa };
    static const uint8_t jump[] = { 0xff, 0x25 };                       /* jmp *word(%rip) */
    static const uint8_t load[] = { 0x48, 0x8b, 0x05 }, go[] = { 0xff, 0xe0 };  /* mov word(%rip), %rax; jmp *%rax */
    const uint8_t *code = (const uint8_t *)wrapper;
    int32_t ahead;

    if (memcmp(code, landing, sizeof landing) == 0)
        code += sizeof landing;
    if (memcmp(code, jump, sizeof jump) == 0)
        code += sizeof jump;
    else if (memcmp(code, load, sizeof load) == 0 && memcmp(code + sizeof load + sizeof ahead, go, sizeof go) == 0)
        code += sizeof load;
    else
        return NULL;
    memcpy(&ahead, code, sizeof ahead);
    return (const uintptr_t *)(uintptr_t)(code + sizeof ahead + ahead);
#else
    (void)wrapper;
    return NULL;
#endif
}

/* What only leads on: it does so by the word, which the slot does not follow then. */
static bool is_passing(uintptr_t code)
{
    return (code >= (uintptr_t)__start_ct_routed && code < (uintptr_t)__stop_ct_routed) ||
           (code >= (uintptr_t)__start_ct_passing && code < (uintptr_t)__stop_ct_passing);
}

static uintptr_t to_what_it_jumps_to(const struct ct_bound_slot *slot)
{
    const uintptr_t *word = word_of(slot->wrapper);
    uintptr_t code = word ? __atomic_load_n(word, __ATOMIC_RELAXED) : 0;

    return !code || is_passing(code) ? slot->wrapper : code;
}

CT_EARLY_CODE void ct_slots_find(void)
{
    ct_bound_find(&bound, true);
}

void ct_slots_follow(void)
{
    if (!atomic_load_explicit(&bypassed, memory_order_relaxed) && !atomic_load_explicit(&kept, memory_order_relaxed))
        lead(to_what_it_jumps_to);
}

void ct_slots_keep(void)
{
    atomic_store_explicit(&kept, true, memory_order_relaxed);
    atomic_store_explicit(&bypassed, false, memory_order_relaxed);
    lead(to_wrapper);
}
