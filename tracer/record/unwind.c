/* The unwinder's loop: from frame to frame by cached rules, every load checked against the stack's bounds. */
#include "record/unwind.h"

#include <signal.h>
#include <stdbool.h>

#include "record/unwind_rule.h"

/* Rules of a cache.  Return addresses differ in their low bits; 1024 keep the deepest programs' hot stacks apart. */
enum { SLOTS = 1024, PAGE = 4096 };

/*
 * A slot holds rule and ra ^ rule: a signal handler that rewrites the slot between the two loads, or that interrupts
 * the two stores, leaves a pair that matches no address, and the slot is made anew.
 */
struct slot {
    uint64_t rule;
    uint64_t check;
};

struct ct_unwind_cache {
    struct slot slots[SLOTS];
    uint64_t epoch;             /* of all slots */
};

/* Number of ct_unwind_forget() calls.  Relaxed: whoever runs code of a module that came later got there by other orders. */
static uint64_t current_epoch;

size_t ct_unwind_cache_size(void)
{
    return (sizeof(struct ct_unwind_cache) + PAGE - 1) & -(size_t)PAGE;
}

void ct_unwind_forget(void)
{
    __atomic_fetch_add(&current_epoch, 1, __ATOMIC_RELAXED);
}

#if CT_UNWIND_TABLES

/* A stack: what lies between the frame looked at and `high` is mapped. */
struct bounds {
    uintptr_t low;
    uintptr_t high;
};

struct walk {
    struct bounds stack;        /* the one the frame is on */
    struct bounds home;         /* the thread's own, to which a signal's frame on another may lead back; once */
};

/* Where a frame goes on. */
struct frame {
    uint64_t ra;                /* ra - 1 lies within the instruction under way; 0: there is no such frame */
    uintptr_t sp;
    uintptr_t fp;
};

static inline bool is_within(const struct bounds *bounds, uintptr_t sp)
{
    return sp - bounds->low < bounds->high - bounds->low;
}

/* What address sanitizer knows of a frame's variables says nothing about its return address. */
__attribute__((no_sanitize("address"))) static inline uint64_t load(uintptr_t address)
{
    return *(const uint64_t *)address;      /* NOLINT: an address is all there is */
}

/* Loads a word of the frames from `sp` up. */
static bool load_checked(const struct walk *walk, uintptr_t sp, uintptr_t address, uint64_t *ret)
{
    if (address < sp || address >= walk->stack.high || walk->stack.high - address < sizeof(*ret))
        return false;
    *ret = load(address);
    return true;
}

/*
 * The stack that holds `sp` when it is not the thread's own.  Of stacks the program made itself (fibers) only the page of
 * sp is known to be mapped.
 */
static struct bounds other_stack(uintptr_t sp)
{
    stack_t alternate;

    if (ct_unwind_sigaltstack(&alternate) == 0 && !(alternate.ss_flags & SS_DISABLE)) {
        uintptr_t low = (uintptr_t)alternate.ss_sp;
        struct bounds bounds = { low, low + alternate.ss_size };

        if (is_within(&bounds, sp))
            return bounds;
    }
    return (struct bounds){ sp & -(uintptr_t)PAGE, (sp & -(uintptr_t)PAGE) + PAGE };
}

/* The interrupted frame, from the registers the kernel saved at `sp`. */
static bool step_signal(struct walk *walk, struct frame *frame)
{
    uint64_t pc, sp, fp;

    if (!load_checked(walk, frame->sp, frame->sp + CT_SIGNAL_PC, &pc) ||
        !load_checked(walk, frame->sp, frame->sp + CT_SIGNAL_SP, &sp) ||
        !load_checked(walk, frame->sp, frame->sp + CT_SIGNAL_FP, &fp))
        return false;
    if (!is_within(&walk->stack, sp)) {
        if (walk->stack.low == walk->home.low)
            return false;
        walk->stack = is_within(&walk->home, sp) ? walk->home : other_stack(sp);
        walk->home.low = walk->stack.low;
    } else if (sp <= frame->sp) {
        return false;
    }
    *frame = (struct frame){ pc + 1, sp, fp };
    return true;
}

/* Code without tables: believed to keep frame pointers when the one at hand lies in the stack and leads upwards. */
static bool step_guess(const struct walk *walk, struct frame *frame)
{
    uint64_t fp, ra;

    if (!load_checked(walk, frame->sp, frame->fp, &fp) || !load_checked(walk, frame->sp, frame->fp + 8, &ra))
        return false;
    if (fp != 0 && fp <= frame->fp)
        return false;
    *frame = (struct frame){ ra, frame->fp + 16, fp };
    return true;
}

/* The rows compilers seldom make: realigned stacks, CFA in memory, odd offsets. */
static bool step_row(const struct walk *walk, struct frame *frame, uint64_t rule)
{
    uintptr_t base = rule & CT_RULE_FP ? frame->fp : frame->sp, cfa = base + (uintptr_t)(int32_t)rule;
    intptr_t fp_offset = (int16_t)(rule >> 32);
    uint64_t ra, fp = frame->fp;

    if (rule & CT_RULE_DEREF) {
        if (!load_checked(walk, frame->sp, base + (uintptr_t)(int16_t)rule, &cfa))
            return false;
        cfa += (uintptr_t)(int16_t)(rule >> 16);
    }
    if (!load_checked(walk, frame->sp, cfa - 8, &ra))
        return false;
    if (rule & CT_RULE_FP_LOST)
        fp = 0;
    else if (rule & CT_RULE_FP_SAVED && !load_checked(walk, frame->sp, cfa + (uintptr_t)fp_offset, &fp))
        fp = 0;
    else if (rule & CT_RULE_FP_AT_FP && !load_checked(walk, frame->sp, frame->fp + (uintptr_t)fp_offset, &fp))
        fp = 0;
    *frame = (struct frame){ ra, cfa, fp };
    return true;
}

static __attribute__((noinline, cold)) bool step_slow(struct walk *walk, struct frame *frame, uint64_t rule)
{
    if (rule & CT_RULE_LOST)
        return false;
    if (rule & CT_RULE_SIGNAL)
        return step_signal(walk, frame);
    if (rule & CT_RULE_GUESS)
        return step_guess(walk, frame);
    return step_row(walk, frame, rule);
}

static inline struct slot *find_slot(struct ct_unwind_cache *cache, uint64_t ra)
{
    return &cache->slots[ra & (SLOTS - 1)];
}

static __attribute__((noinline, cold)) uint64_t learn(struct ct_unwind_cache *cache, uint64_t ra)
{
    struct slot *slot = find_slot(cache, ra);
    bool keep;
    uint64_t rule = ct_unwind_rule(ra, &keep);

    if (keep) {
        __atomic_store_n(&slot->rule, rule, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->check, rule ^ ra, __ATOMIC_RELAXED);
    }
    return rule;
}

static __attribute__((noinline, cold)) void empty(struct ct_unwind_cache *cache, uint64_t epoch)
{
    for (unsigned i = 0; i < SLOTS; i++)
        __atomic_store_n(&cache->slots[i].check, ~cache->slots[i].rule, __ATOMIC_RELAXED);
    cache->epoch = epoch;
}

unsigned ct_unwind_from(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs, uintptr_t lo, uintptr_t hi,
                        uint64_t *pcs, unsigned max, unsigned *flags)
{
    struct walk walk = { { lo, hi }, { lo, hi } };
    uint64_t ra = regs->pc + 1, epoch = __atomic_load_n(&current_epoch, __ATOMIC_RELAXED);
    uintptr_t sp = regs->sp, fp = regs->fp, high = hi;
    unsigned count = 0;

    *flags = 0;
    if (__builtin_expect(cache->epoch != epoch, 0))
        empty(cache, epoch);
    if (__builtin_expect(!is_within(&walk.home, sp), 0)) {
        walk.stack = other_stack(sp);
        high = walk.stack.high;
    }
    while (ra != 0) {
        struct slot *slot = find_slot(cache, ra);
        uint64_t rule = __atomic_load_n(&slot->rule, __ATOMIC_RELAXED);

        if (__builtin_expect((__atomic_load_n(&slot->check, __ATOMIC_RELAXED) ^ rule) != ra, 0))
            rule = learn(cache, ra);
        if (count < max) {
            pcs[count] = ra;
            count += rule >> CT_RULE_SHOWN_BIT & 1;
        } else if (rule & CT_RULE_SHOWN) {
            *flags |= CT_UNWIND_CUT;
            break;
        }
        if (__builtin_expect((rule & CT_RULE_SLOW) != 0, 0)) {
            struct frame frame = { ra, sp, fp };

            if (rule & CT_RULE_LAST)
                break;
            if (!step_slow(&walk, &frame, rule)) {
                *flags |= CT_UNWIND_LOST;
                break;
            }
            ra = frame.ra;
            sp = frame.sp;
            fp = frame.fp;
            high = walk.stack.high;
            continue;
        }

        uintptr_t cfa = sp + (uint32_t)rule;

        if (rule & CT_RULE_FP) {
            if (fp < sp || fp >= high)
                cfa = high + 1;
            else
                cfa = fp + (uint32_t)rule;
        }
        if (__builtin_expect(cfa > high, 0)) {
            *flags |= CT_UNWIND_LOST;
            break;
        }
        ra = load(cfa - 8);
        if (rule & CT_RULE_FP_SAVED)
            fp = load(cfa + (uintptr_t)(int16_t)(rule >> 32));
        sp = cfa;
    }
    return count;
}

#else

unsigned ct_unwind_from(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs, uintptr_t lo, uintptr_t hi,
                        uint64_t *pcs, unsigned max, unsigned *flags)
{
    (void)cache, (void)lo, (void)hi;
    *flags = max == 0 ? CT_UNWIND_CUT : CT_UNWIND_LOST;
    if (max == 0)
        return 0;
    pcs[0] = regs->pc + 1;
    return 1;
}

#endif
