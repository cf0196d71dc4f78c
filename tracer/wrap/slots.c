/* The slots that calls of wrapped functions go through, led where those wrappers lead. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "record/gate.h"
#include "record/hot.h"
#include "record/rawfile.h"
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
 * Who leads words leads the slots after them, and no two threads do so at once (record/gate.h): the control thread, or who
 * is about to start it.
 */

static struct ct_bound bound;
enum { FOLLOWING, BYPASSED, RESTORING };
CT_EARLY_DATA static _Atomic uint32_t state;
static _Atomic bool kept;

static bool protect(const struct ct_bound_module *m, int how)
{
    return ct_syscall(SYS_mprotect, m->relro, m->relro_end - m->relro, how) == 0;
}

/* Where it should lead. */
typedef uintptr_t (*destination)(const struct ct_bound_slot *slot);

/* Relaxed: a call that still goes the old way is one that was made a moment before. */
CT_EARLY_CODE static void lead_module(struct ct_bound_module *m, destination to)
{
    const struct ct_bound_slot *end = m->slots + m->count;
    bool failed = false;

    for (const struct ct_bound_slot *s = m->slots; s < end && !failed; s++) {
        uintptr_t wanted = to(s);

        if (__atomic_load_n(s->at, __ATOMIC_RELAXED) == wanted)
            continue;
        if (!m->open && !(m->open = protect(m, PROT_READ | PROT_WRITE)))
            failed = true;
        else
            __atomic_store_n(s->at, wanted, __ATOMIC_RELAXED);
    }
    if (m->open && protect(m, PROT_READ))
        m->open = false;
}

CT_EARLY_CODE static void lead(destination to)
{
    for (unsigned i = 0; i < bound.module_count; i++)
        lead_module(&bound.modules[i], to);
}

static uintptr_t to_wrapper(const struct ct_bound_slot *slot)
{
    return slot->wrapper;
}

/* --- a program that the recorder was merely loaded into --- */

/* Whoever filters system calls may kill for those that he did not expect. */
static bool is_filtered(void)
{
    char text[4096];
    const char *at;

    if (ct_raw_read_file("/proc/self/status", text, sizeof text) <= 0)
        return true;
    at = strstr(text, "\nSeccomp:\t");
    return !at || at[10] != '0';
}

CT_EARLY_CODE static uintptr_t to_real(const struct ct_bound_slot *slot)
{
    uintptr_t real = (uintptr_t)ct_real_symbol(slot->name);

    return real ? real : slot->wrapper;
}

/* With libctrace it will be recorded, sooner or later. */
CT_EARLY_CODE void ct_slots_bypass(void)
{
    ct_bound_find(&bound, false);
    if (!bound.module_count || ct_real_symbol("trace_start") || is_filtered())
        return;
    lead(to_real);
    atomic_store_explicit(&state, BYPASSED, memory_order_relaxed);
}

/* Of several threads that ask at once one does it; the others wait, but not for ever: it may be one that they interrupted. */
void ct_slots_restore(void)
{
    uint32_t was = BYPASSED;

    if (atomic_compare_exchange_strong_explicit(&state, &was, RESTORING, memory_order_acquire, memory_order_acquire)) {
        lead(to_wrapper);
        atomic_store_explicit(&state, FOLLOWING, memory_order_release);
    }
    for (unsigned i = 0; was == RESTORING && i < 10000; i++) {
        ct_syscall(SYS_sched_yield);
        was = atomic_load_explicit(&state, memory_order_acquire);
    }
}

/* --- one that is recorded --- */

/* What the jump at `wrapper` goes through; NULL when it is another kind of jump. */
static const uintptr_t *word_of(uintptr_t wrapper)
{
#if defined(__x86_64__)
    static const uint8_t landing[] = { 0xf3, 0x0f, 0x1e, 0xfa }, jump[] = { 0xff, 0x25 };
    const uint8_t *code = (const uint8_t *)wrapper;
    int32_t ahead;

    if (memcmp(code, landing, sizeof landing) == 0)
        code += sizeof landing;
    if (memcmp(code, jump, sizeof jump) != 0)
        return NULL;
    code += sizeof jump;
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
    if (atomic_load_explicit(&state, memory_order_acquire) == FOLLOWING && !atomic_load_explicit(&kept, memory_order_relaxed))
        lead(to_what_it_jumps_to);
}

void ct_slots_keep(bool now)
{
    atomic_store_explicit(&kept, true, memory_order_relaxed);
    if (!now)
        return;
    ct_slots_restore();
    lead(to_wrapper);
}
