/* The unusual steps: signal frames, code without tables, realigned stacks, foreign stacks. */
#include "record/unwind_step.h"

#if CT_UNWIND_TABLES

#include <signal.h>

#include "record/unwind_rule.h"

/*
 * A frame interrupted right before its return has its saved fp below its sp already: hence not from
 * there, but from the floor.
 */
static bool load_checked(const struct ct_unwind_walk *walk, uintptr_t address, uint64_t *ret)
{
    if (address < walk->floor || address >= walk->stack.high ||
        walk->stack.high - address < sizeof(*ret))
        return false;
    *ret = ct_unwind_load(address);
    return true;
}

/* Of stacks the program made itself (fibers) only the page of sp is known to be mapped. */
struct ct_unwind_bounds ct_unwind_other_stack(uintptr_t sp)
{
    stack_t alternate;

    if (ct_unwind_sigaltstack(&alternate) == 0 && !(alternate.ss_flags & SS_DISABLE)) {
        uintptr_t low = (uintptr_t)alternate.ss_sp;
        struct ct_unwind_bounds bounds = { low, low + alternate.ss_size };

        if (ct_unwind_within(&bounds, sp))
            return bounds;
    }
    return (struct ct_unwind_bounds){ ct_unwind_floor(sp), ct_unwind_floor(sp) + CT_UNWIND_PAGE };
}

/* The interrupted frame, from the registers the kernel saved at `sp`. */
static bool step_signal(struct ct_unwind_walk *walk, struct ct_unwind_frame *frame)
{
    uint64_t pc, sp, fp;

    if (!load_checked(walk, frame->sp + CT_SIGNAL_PC, &pc) ||
        !load_checked(walk, frame->sp + CT_SIGNAL_SP, &sp) ||
        !load_checked(walk, frame->sp + CT_SIGNAL_FP, &fp))
        return false;
    if (!ct_unwind_within(&walk->stack, sp)) {
        if (walk->stack.low == walk->home.low)
            return false;
        walk->stack = ct_unwind_within(&walk->home, sp) ? walk->home : ct_unwind_other_stack(sp);
        walk->home.low = walk->stack.low;
        walk->floor = ct_unwind_floor(sp);
    } else if (sp <= frame->sp) {
        return false;
    }
    *frame = (struct ct_unwind_frame){ pc + 1, sp, fp };
    return true;
}

/*
 * Code without tables: believed to keep frame pointers when the one at hand lies in the stack and
 * leads upwards.
 */
static bool step_guess(const struct ct_unwind_walk *walk, struct ct_unwind_frame *frame)
{
    uint64_t fp, ra;

    if (!load_checked(walk, frame->fp, &fp) || !load_checked(walk, frame->fp + 8, &ra))
        return false;
    if (frame->fp < frame->sp || (fp != 0 && fp <= frame->fp) || ra > CT_UNWIND_ADDRESS_MAX)
        return false;
    *frame = (struct ct_unwind_frame){ ra, frame->fp + 16, fp };
    return true;
}

/* The caller's fp; one that cannot be had is 0, which only stops who needs it. */
static uint64_t caller_fp(const struct ct_unwind_walk *walk, const struct ct_unwind_frame *frame,
                          uintptr_t cfa, uint64_t rule)
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
static bool step_row(const struct ct_unwind_walk *walk, struct ct_unwind_frame *frame,
                     uint64_t rule)
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
    *frame = (struct ct_unwind_frame){ ra, cfa, caller_fp(walk, frame, cfa, rule) };
    return true;
}

enum ct_unwind_ending ct_unwind_step(struct ct_unwind_walk *walk, struct ct_unwind_frame *frame,
                                     uint64_t rule)
{
    bool stepped = false;

    switch (rule & CT_RULE_KIND) {
    case CT_RULE_LAST:
        return CT_UNWIND_ENDS;
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
    return stepped ? CT_UNWIND_GOES_ON : CT_UNWIND_ENDS_LOST;
}

#endif
