/* The unwinder's loop: from frame to frame by cached rules, every load checked against the stack's bounds. */
#include "record/unwind.h"

#include <signal.h>
#include <stdbool.h>

#include "record/unwind_rule.h"

/* Rules of a cache.  Return addresses differ in their low bits; 1024 keep the deepest programs' hot stacks apart. */
enum { SLOTS = 1024, PAGE = 4096 };

/*
 * A slot holds a rule and, folded with it, the address it is for: a signal handler that rewrites the slot between the
 * two loads, or that interrupts the two stores, leaves a pair that matches no address, and the slot is made anew.
 *
 * Bits 16-31 of the rule are a hint: the place, in bytes from the first slot, of the rule that was needed next last
 * time.  With it the processor runs ahead through the rules while return addresses are still being loaded and
 * compared.  It is never believed, so it may be old or torn.
 */
struct slot {
    union {
        uint64_t rule;
        uint16_t quarters[4];
    };
    uint64_t check;
};

enum { HINT = 1 };      /* index of the quarter: little endian, as all processors known here */
#define NO_HINT (~(uint64_t)0xffff0000)

struct ct_unwind_cache {
    struct slot slots[SLOTS];
    uint64_t epoch;             /* of all slots */
};
_Static_assert(SLOTS * sizeof(struct slot) <= 1 << 16, "a hint reaches all slots");

/* Number of ct_unwind_forget() calls.  Relaxed: whoever runs code of a module that came later got there by other orders. */
static uint64_t current_epoch = 1;      /* not 0: a zeroed cache is to be emptied before its first use */

size_t ct_unwind_cache_size(void)
{
    return (sizeof(struct ct_unwind_cache) + PAGE - 1) & -(size_t)PAGE;
}

void ct_unwind_forget(void)
{
    __atomic_fetch_add(&current_epoch, 1, __ATOMIC_RELAXED);
}

#if CT_UNWIND_TABLES

struct bounds {
    uintptr_t low;
    uintptr_t high;
};

struct walk {
    struct ct_unwind_cache *cache;
    struct bounds stack;        /* the one the frame is on */
    uintptr_t floor;            /* what lies between here and the end of that stack is mapped */
    struct bounds home;         /* the thread's own, to which a signal's frame on another may lead back; once */
};

/* How a walk ends. */
enum ending {
    GOING_ON = 0,
    CUT = CT_UNWIND_CUT,
    LOST = CT_UNWIND_LOST,
    COMPLETE = 256,
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

/*
 * The lowest address that may be read of a stack whose innermost frame is at `sp`.  A frame interrupted right before its
 * return has its saved fp below sp already; the page that sp points into is there in any case.
 */
static inline uintptr_t floor_of(uintptr_t sp)
{
    return sp & -(uintptr_t)PAGE;
}

static bool load_checked(const struct walk *walk, uintptr_t address, uint64_t *ret)
{
    if (address < walk->floor || address >= walk->stack.high || walk->stack.high - address < sizeof(*ret))
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

    if (!load_checked(walk, frame->sp + CT_SIGNAL_PC, &pc) ||
        !load_checked(walk, frame->sp + CT_SIGNAL_SP, &sp) ||
        !load_checked(walk, frame->sp + CT_SIGNAL_FP, &fp))
        return false;
    if (!is_within(&walk->stack, sp)) {
        if (walk->stack.low == walk->home.low)
            return false;
        walk->stack = is_within(&walk->home, sp) ? walk->home : other_stack(sp);
        walk->home.low = walk->stack.low;
        walk->floor = floor_of(sp);
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

    if (!load_checked(walk, frame->fp, &fp) || !load_checked(walk, frame->fp + 8, &ra))
        return false;
    if (frame->fp < frame->sp || (fp != 0 && fp <= frame->fp) || ra > CT_UNWIND_ADDRESS_MAX)
        return false;
    *frame = (struct frame){ ra, frame->fp + 16, fp };
    return true;
}

/* The caller's fp; one that cannot be had is 0, which only stops who needs it. */
static uint64_t caller_fp(const struct walk *walk, const struct frame *frame, uintptr_t cfa, uint64_t rule)
{
    uintptr_t base = rule & CT_RULE_FP_AT_FP ? frame->fp : cfa;
    uint64_t fp = 0;

    if (!(rule & CT_RULE_FP_LOST))
        return frame->fp;
    if ((rule & CT_RULE_FP_LOST) != CT_RULE_FP_LOST)
        load_checked(walk, base + (uintptr_t)ct_rule_fp_offset(rule), &fp);
    return fp;
}

/* The rows compilers seldom make: realigned stacks, CFA in memory, odd offsets. */
static bool step_row(const struct walk *walk, struct frame *frame, uint64_t rule)
{
    uintptr_t base = rule & CT_RULE_FP ? frame->fp : frame->sp;
    uint32_t offset = ct_rule_offset(rule);
    uintptr_t cfa = base + (uintptr_t)(int32_t)offset;
    uint64_t ra;

    if ((rule & CT_RULE_KIND) == CT_RULE_DEREF) {
        if (!load_checked(walk, base + (uintptr_t)(int16_t)offset, &cfa))
            return false;
        cfa += (uintptr_t)(int16_t)(offset >> 16);
    }
    if (cfa <= frame->sp || !load_checked(walk, cfa - 8, &ra))
        return false;
    *frame = (struct frame){ ra, cfa, caller_fp(walk, frame, cfa, rule) };
    return true;
}

/* Steps by the rules that are not compilers' daily ones.  Returns 0 to go on, or why the walk ends. */
static __attribute__((noinline, cold)) enum ending step_slow(struct walk *walk, struct frame *frame, uint64_t rule)
{
    bool stepped = false;

    switch (rule & CT_RULE_KIND) {
    case CT_RULE_LAST:
        return COMPLETE;
    case CT_RULE_ROW:
    case CT_RULE_DEREF:
        stepped = step_row(walk, frame, rule);
        break;
    case CT_RULE_SIGNAL:
        stepped = step_signal(walk, frame);
        break;
    case CT_RULE_GUESS:
        stepped = step_guess(walk, frame);
        break;
    default:
        break;
    }
    return stepped ? GOING_ON : LOST;
}

static inline uint64_t find_place(uint64_t ra)
{
    return (ra & (SLOTS - 1)) * sizeof(struct slot);
}

static inline struct slot *slot_at(struct ct_unwind_cache *cache, uint64_t place)
{
    return (struct slot *)((char *)cache->slots + place);
}

/* What the slot's check is for this address and rule. */
static inline uint64_t check_of(uint64_t ra, uint64_t rule)
{
    return ra ^ (rule & NO_HINT);
}

static inline bool slot_matches(const struct slot *slot, uint64_t ra, uint64_t *ret_rule)
{
    *ret_rule = __atomic_load_n(&slot->rule, __ATOMIC_RELAXED);
    return __atomic_load_n(&slot->check, __ATOMIC_RELAXED) == check_of(ra, *ret_rule);
}

/* The rule for `ra` when the slot hinted at has another; corrects the hint of the frame before, whose slot is `from`. */
static __attribute__((noinline)) uint64_t look_up(struct ct_unwind_cache *cache, struct slot *from, uint64_t ra)
{
    struct slot *slot = slot_at(cache, find_place(ra));
    uint64_t rule;
    bool keep;

    if (ra == 0)
        return CT_RULE_SLOW | CT_RULE_LAST;
    if (!slot_matches(slot, ra, &rule)) {
        rule = ct_unwind_rule(ra, &keep);
        if (!keep)
            return rule;
        __atomic_store_n(&slot->rule, rule, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->check, check_of(ra, rule), __ATOMIC_RELAXED);
    }
    __atomic_store_n(&from->quarters[HINT], (uint16_t)find_place(ra), __ATOMIC_RELAXED);
    return rule;
}

/* No address matches a slot emptied thus: it would have to be one that no user program has. */
static __attribute__((noinline, cold)) void empty(struct ct_unwind_cache *cache, uint64_t epoch)
{
    for (unsigned i = 0; i < SLOTS; i++)
        __atomic_store_n(&cache->slots[i].check, check_of(~(uint64_t)0, cache->slots[i].rule), __ATOMIC_RELAXED);
    cache->epoch = epoch;
}

/* The loop.  Its three registers stay in registers: what is handed to step_slow() is a copy. */
static inline enum ending walk_frames(struct walk *walk, const struct ct_unwind_regs *regs, uint64_t **out,
                                      const uint64_t *end)
{
    struct ct_unwind_cache *cache = walk->cache;
    uint64_t ra = regs->pc + 1, place = find_place(ra), from = place, rule;
    uintptr_t sp = regs->sp, fp = regs->fp, high = walk->stack.high;

    for (;;) {
        if (__builtin_expect(!slot_matches(slot_at(cache, place), ra, &rule), 0)) {
            rule = look_up(cache, slot_at(cache, from), ra);
            place = find_place(ra);
        }
        if (__builtin_expect(*out != end, 1)) {
            **out = ra;
            *out += rule & CT_RULE_SHOWN;
        } else if (rule & CT_RULE_SHOWN) {
            return CUT;
        }
        from = place;
        place = __atomic_load_n(&slot_at(cache, place)->quarters[HINT], __ATOMIC_RELAXED);
        if (rule & CT_RULE_SLOW) {
            struct frame frame = { ra, sp, fp };
            enum ending ending = step_slow(walk, &frame, rule);

            if (ending != GOING_ON)
                return ending;
            ra = frame.ra;
            sp = frame.sp;
            fp = frame.fp;
            high = walk->stack.high;
            continue;
        }
        if (rule & CT_RULE_FP) {
            if (fp < sp || fp >= high)
                return LOST;
            sp = fp;
        }
        sp += ct_rule_offset(rule);
        if (__builtin_expect(sp > high, 0))
            return LOST;
        ra = load(sp - 8);
        if (rule & CT_RULE_FP_SAVED)
            fp = load(sp + (uintptr_t)ct_rule_fp_offset(rule));
    }
}

unsigned ct_unwind_from(struct ct_unwind_cache *cache, const struct ct_unwind_regs *regs, uintptr_t lo, uintptr_t hi,
                        uint64_t *pcs, unsigned max, unsigned *flags)
{
    struct walk walk = { cache, { lo, hi }, floor_of(regs->sp), { lo, hi } };
    uint64_t epoch = __atomic_load_n(&current_epoch, __ATOMIC_RELAXED), *out = pcs;

    if (__builtin_expect(cache->epoch != epoch, 0))
        empty(cache, epoch);
    if (__builtin_expect(!is_within(&walk.home, regs->sp), 0))
        walk.stack = other_stack(regs->sp);

    enum ending ending = walk_frames(&walk, regs, &out, pcs + max);

    *flags = ending == COMPLETE ? 0 : (unsigned)ending;
    return (unsigned)(out - pcs);
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
