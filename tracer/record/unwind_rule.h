/* From a return address to the rule that unwinds its frame: the way taken when the cache does not know it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A rule in one word, as the cache keeps it.  Bits 0-31: offset (with CT_RULE_DEREF: 16 bits offset, 16 bits addend,
 * both signed), bits 32-47: fp offset (signed), bits 48 and up: these.
 *
 * Without CT_RULE_SLOW: cfa = (FP ? fp : sp) + offset, and when FP_SAVED the caller's fp is at cfa + fp offset, which
 * is proven to lie within this very frame: 8 <= -(fp offset) <= offset < 2^31.
 */
enum {
    CT_RULE_SHOWN_BIT = 48,
};
#define CT_RULE_SHOWN (1ull << CT_RULE_SHOWN_BIT)       /* the frame goes into the stack (it is none of the recorder's) */
#define CT_RULE_FP (1ull << 49)                         /* cfa from fp, not from sp */
#define CT_RULE_FP_SAVED (1ull << 50)
#define CT_RULE_SLOW (1ull << 51)                       /* one of those below, or operands that need every check */
#define CT_RULE_DEREF (1ull << 52)                      /* cfa = *(base + offset) + addend */
#define CT_RULE_FP_AT_FP (1ull << 53)                   /* the caller's fp is at fp + fp offset */
#define CT_RULE_FP_LOST (1ull << 54)
#define CT_RULE_SIGNAL (1ull << 55)                     /* sp is at the ucontext of a signal */
#define CT_RULE_LAST (1ull << 56)                       /* no caller */
#define CT_RULE_GUESS (1ull << 57)                      /* no table: a frame pointer chain, if fp looks like one */
#define CT_RULE_LOST (1ull << 58)                       /* cannot be unwound */

/*
 * The rule for the frame that returns to `ra` (its tables are asked for ra - 1).  `*ret_keep` tells whether the rule
 * belongs to a module, so that it stays true until the module is closed.
 */
uint64_t ct_unwind_rule(uint64_t ra, bool *ret_keep);
