/* The unwinder's loop: from frame to frame by cached rules, every load checked against bounds. */
#include "record/unwind.h"

#include <stdbool.h>

#include "record/unwind_memo.h"
#include "record/unwind_rule.h"
#include "record/unwind_step.h"

/*
 * Rules of a cache.  Return addresses differ in their low bits; 1024 keep the deepest programs' hot stacks apart, as each has
 * two places: of stacks of 16 frames every ninth has two frames of the same low bits, which would push each other out.
 */
enum { SLOTS = 1024 };

/*
 * Memory is touched as it pays: a thread whose stacks need few rules uses the first slots only, and who takes few stacks makes
 * no memos.  Thousands of threads that wait are calm.
 */
enum { CALM_SLOTS = 64, CALM_MISSES = 64, CALM_CAPTURES = 32 };

/*
 * A slot holds a rule and, folded with it, the address it is for: a signal handler that rewrites
 * the slot between the two loads, or that interrupts the two stores, leaves a pair that matches no
 * address, and the slot is made anew.
 *
 * Bits 16-31 of the rule are a hint: the place, in bytes from the first slot, of the rule that was
 * needed next last time.  With it the processor runs ahead through the rules while return addresses
 * are still being loaded and compared.  It is never believed, so it may be old or torn.
 */
struct slot {
    union {
        uint64_t rule;
        uint16_t quarters[4];
    };
    uint64_t check;
};

enum { HINT = 1 }; /* index of the quarter: little endian, as all processors known here */
#define NO_HINT (~(uint64_t)0xffff0000)

struct ct_unwind_cache {
    uint64_t epoch; /* of all slots; 0: there is nothing in them */
    uintptr_t busy; /* sp of who is using the memos; 0: none.  Stale when left by longjmp */
    uint16_t misses, captures; /* as long as the thread is calm */
    uint8_t rest[44];
    struct slot slots[SLOTS];
    struct memo_set memos[MEMO_SETS];
};
_Static_assert(SLOTS * sizeof(struct slot) <= 1 << 16, "a hint reaches all slots");

/*
 * Number of ct_unwind_forget() calls.  Relaxed: whoever runs code of a module that came later got
 * there by other orders.
 */
static uint64_t current_epoch = 1;

size_t ct_unwind_cache_size(void)
{
    return (sizeof(struct ct_unwind_cache) + 63) & -(size_t)64;
}

void ct_unwind_forget(void)
{
    __atomic_fetch_add(&current_epoch, 1, __ATOMIC_RELAXED);
}

#if CT_UNWIND_TABLES

static inline uint64_t find_place(const struct ct_unwind_cache *cache, uint64_t ra)
{
    return (ra & (cache->misses < CALM_MISSES ? CALM_SLOTS - 1 : SLOTS - 1)) * sizeof(struct slot);
}

static inline struct slot *slot_at(struct ct_unwind_cache *cache, uint64_t place)
{
    return (struct slot *)((char *)cache->slots + place);
}

/* What the slot's check is for this address and rule.  Of zeros: for an address that no user program has. */
static inline uint64_t check_of(uint64_t ra, uint64_t rule)
{
    return ~(ra ^ (rule & NO_HINT));
}

static inline bool slot_matches(const struct slot *slot, uint64_t ra, uint64_t *ret_rule)
{
    *ret_rule = __atomic_load_n(&slot->rule, __ATOMIC_RELAXED);
    return __atomic_load_n(&slot->check, __ATOMIC_RELAXED) == check_of(ra, *ret_rule);
}

static inline void slot_store(struct slot *slot, uint64_t rule, uint64_t check)
{
    __atomic_store_n(&slot->rule, rule, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->check, check, __ATOMIC_RELAXED);
}

/*
 * The rule for `ra` when the slot hinted at has another, and its place; corrects the hint of the frame before, whose slot is
 * `from`.  A new rule goes to the first of its two places, and what was there to the second.
 */
static __attribute__((noinline)) uint64_t look_up(struct ct_unwind_cache *cache, struct slot *from, uint64_t ra,
                                                  uint64_t *ret_place)
{
    uint64_t place = find_place(cache, ra), rule;
    bool keep;

    *ret_place = place;
    if (ra == 0)
        return CT_RULE_SLOW | CT_RULE_LAST;
    if (!slot_matches(slot_at(cache, place), ra, &rule)) {
        place ^= sizeof(struct slot);
        if (!slot_matches(slot_at(cache, place), ra, &rule)) {
            rule = ct_unwind_rule(ra, &keep);
            if (!keep)
                return rule;
            if (cache->misses < CALM_MISSES)
                cache->misses++;
            place = find_place(cache, ra);

            struct slot *first = slot_at(cache, place), *second = slot_at(cache, place ^ sizeof(struct slot));

            slot_store(second, first->rule, first->check);
            slot_store(first, rule, check_of(ra, rule));
        }
    }
    *ret_place = place;
    __atomic_store_n(&from->quarters[HINT], (uint16_t)place, __ATOMIC_RELAXED);
    return rule;
}

static __attribute__((noinline, cold)) void empty(struct ct_unwind_cache *cache, uint64_t epoch)
{
    unsigned used = cache->epoch == 0 ? 0 : cache->misses < CALM_MISSES ? CALM_SLOTS : SLOTS;

    for (unsigned i = 0; i < used; i++)
        __atomic_store_n(&cache->slots[i].check, check_of(~(uint64_t)0, cache->slots[i].rule),
                         __ATOMIC_RELAXED);
    cache->epoch = epoch;
}

/*
 * The loop, with or without (a constant) a memo being made.  Its three registers stay in registers:
 * what is handed to ct_unwind_step() is a copy.
 */
static inline __attribute__((always_inline)) enum ct_unwind_ending
walk_frames(struct ct_unwind_cache *cache, struct ct_unwind_walk *walk,
            const struct ct_unwind_regs *regs, struct memo_pen *pen, uint64_t **out,
            const uint64_t *end)
{
    uint64_t ra = regs->pc + 1, place = find_place(cache, ra), from = place, rule;
    uintptr_t sp = regs->sp, fp = regs->fp, fp_at = 0, high = walk->stack.high;

    for (;;) {
        if (__builtin_expect(!slot_matches(slot_at(cache, place), ra, &rule), 0)) {
            uint64_t found;

            rule = look_up(cache, slot_at(cache, from), ra, &found);
            place = found;
        }
        if (__builtin_expect(*out != end, 1)) {
            **out = ra;
            *out += rule & CT_RULE_SHOWN;
        } else if (rule & CT_RULE_SHOWN) {
            return CT_UNWIND_ENDS_CUT;
        }
        from = place;
        place = __atomic_load_n(&slot_at(cache, place)->quarters[HINT], __ATOMIC_RELAXED);
        if (rule & CT_RULE_SLOW) {
            struct ct_unwind_frame frame = { ra, sp, fp };
            enum ct_unwind_ending ending = ct_unwind_step(walk, &frame, rule);

            if (ending == CT_UNWIND_ENDS)
                return ending;
            if (pen)
                pen->word = pen->end; /* what it went by is not known here */
            if (ending != CT_UNWIND_GOES_ON)
                return ending;
            ra = frame.ra;
            sp = frame.sp;
            fp = frame.fp;
            high = walk->stack.high;
            continue;
        }
        if (rule & CT_RULE_FP) {
            if (pen && fp_at)
                memo_add(pen, fp_at, fp);
            else if (pen)
                pen->needs_fp = true;
            if (fp < sp || fp >= high)
                return CT_UNWIND_ENDS_LOST;
            sp = fp;
        }
        sp += ct_rule_offset(rule);
        if (__builtin_expect(sp > high, 0))
            return CT_UNWIND_ENDS_LOST;
        ra = ct_unwind_load(sp - 8);
        if (pen)
            memo_add(pen, sp - 8, ra);
        if (rule & CT_RULE_FP_SAVED) {
            fp_at = sp + (uintptr_t)ct_rule_fp_offset(rule);
            fp = ct_unwind_load(fp_at);
        }
    }
}

static __attribute__((noinline)) unsigned capture(struct ct_unwind_cache *cache,
                                                  const struct memo_key *key, uintptr_t low,
                                                  uint64_t *pcs, unsigned *flags)
{
    struct ct_unwind_walk walk;
    uint64_t *out = pcs;

    if (cache->epoch != key->epoch)
        empty(cache, key->epoch);
    ct_unwind_start(&walk, low, key->high, key->regs.sp);

    enum ct_unwind_ending ending = walk_frames(cache, &walk, &key->regs, NULL, &out,
                                               pcs + key->max);

    *flags = ending == CT_UNWIND_ENDS ? 0 : (unsigned)ending;
    return (unsigned)(out - pcs);
}

/* The same once more, making a memo of it. */
static __attribute__((noinline)) void make_memo(struct ct_unwind_cache *cache,
                                                const struct memo_key *key, uintptr_t low,
                                                struct memo *memo, uint64_t *pcs)
{
    struct memo_pen pen = memo_begin(memo, key);
    struct ct_unwind_walk walk;
    uint64_t *out = pcs;

    ct_unwind_start(&walk, low, key->high, key->regs.sp);

    enum ct_unwind_ending ending = walk_frames(cache, &walk, &key->regs, &pen, &out,
                                               pcs + key->max);

    memo_end(memo, &pen, pcs, (uint32_t)(out - pcs),
             ending == CT_UNWIND_ENDS ? 0 : (unsigned)ending);
}

unsigned ct_unwind_apart(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                         uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags)
{
    struct memo_key key = { *regs, hi, __atomic_load_n(&current_epoch, __ATOMIC_RELAXED), max };

    return capture(cache, &key, lo, pcs, flags);
}

static inline struct memo *find_memo(struct memo_set *set, const struct memo_key *key)
{
    for (unsigned i = 0; i < MEMO_WAYS; i++)
        if (memo_holds(&set->ways[i], key))
            return &set->ways[i];
    return NULL;
}

/*
 * Memos are for walks of the running thread's own stack: only there every word of a memo is known
 * to be mapped.  A handler that interrupts a user of memos, whose frame then is above its own,
 * keeps its hands off.
 */
static inline bool may_use_memos(const struct ct_unwind_cache *cache, uintptr_t sp, uintptr_t here,
                                 uintptr_t lo, uintptr_t hi)
{
    return sp - lo < hi - lo && here - lo < hi - lo && cache->busy <= here;
}

unsigned ct_unwind_noted(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                         uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags,
                         uint64_t **note)
{
    struct memo_key key = { *regs, hi, __atomic_load_n(&current_epoch, __ATOMIC_RELAXED), max };
    uintptr_t here = ct_unwind_stack_pointer();
    unsigned count;

    *note = NULL;
    if (__builtin_expect(!may_use_memos(cache, regs->sp, here, lo, hi), 0))
        return capture(cache, &key, lo, pcs, flags);
    if (__builtin_expect(cache->captures < CALM_CAPTURES, 0)) {
        cache->captures++;
        return capture(cache, &key, lo, pcs, flags);
    }
    cache->busy = here;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);

    struct memo_set *set = &cache->memos[regs->sp / 32 % MEMO_SETS];
    struct memo *memo = find_memo(set, &key);

    if (memo) {
        *flags = memo->flags;
        count = memo->pcs_count;
        memo_copy(pcs, memo->pcs, count);
    } else {
        count = capture(cache, &key, lo, pcs, flags);
        memo = memo_due(set, pcs, count);
        if (__builtin_expect(memo != NULL, 0))
            make_memo(cache, &key, lo, memo, pcs);
    }
    if (memo && memo->words_count)
        *note = &memo->note;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    cache->busy = 0;
    return count;
}

#else

unsigned ct_unwind_apart(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                         uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags)
{
    return ct_unwind_from(cache, regs, lo, hi, pcs, max, flags);
}

unsigned ct_unwind_noted(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                         uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags,
                         uint64_t **note)
{
    (void)cache, (void)lo, (void)hi;
    *note = NULL;
    *flags = max == 0 ? CT_UNWIND_CUT : CT_UNWIND_LOST;
    if (max == 0)
        return 0;
    pcs[0] = regs->pc + 1;
    return 1;
}

#endif

unsigned ct_unwind_from(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs,
                        uintptr_t lo, uintptr_t hi, uint64_t *pcs, unsigned max, unsigned *flags)
{
    uint64_t *note;

    return ct_unwind_noted(cache, regs, lo, hi, pcs, max, flags, &note);
}
