/* From a return address to the rule that unwinds its frame, when the cache does not know it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A rule in one word, as the cache keeps it.
 *   bits 0-7     CT_RULE_*
 *   bits 8-15    where the caller's fp is saved, signed, in words, from the cfa (or from fp)
 *   bits 16-31   the cache's own
 *   bits 32-63   offset of the cfa; with CT_RULE_DEREF 16 bits offset, then 16 bits addend, signed
 * Without CT_RULE_SLOW: cfa = (FP ? fp : sp) + offset, 8 <= offset < 2^31, and when FP_SAVED the
 * caller's fp lies within this very frame: 1 <= -(its words) <= offset / 8.
 */
enum {
    CT_RULE_SHOWN = 1,       /* the frame goes into the stack: it is none of the recorder's */
    CT_RULE_FP = 2,          /* cfa from fp, not from sp */
    CT_RULE_FP_SAVED = 4,    /* at cfa + words */
    CT_RULE_SLOW = 8,        /* one of those below, or operands that need every check */
    CT_RULE_KIND = 0x70,     /* with SLOW, one of: */
    CT_RULE_ROW = 0x00,      /* as without SLOW, but everything is to be checked */
    CT_RULE_DEREF = 0x10,    /* cfa = *(base + offset) + addend */
    CT_RULE_SIGNAL = 0x20,   /* sp is at the ucontext of a signal */
    CT_RULE_LAST = 0x30,     /* no caller */
    CT_RULE_GUESS = 0x40,    /* no table: a frame pointer chain, if fp looks like one */
    CT_RULE_LOST = 0x50,     /* cannot be unwound */
    CT_RULE_FP_AT_FP = 0x80, /* with SLOW: at fp + words; with FP_SAVED too: it is lost */
    CT_RULE_FP_LOST = CT_RULE_FP_SAVED | CT_RULE_FP_AT_FP,
};

static inline uint32_t ct_rule_offset(uint64_t rule)
{
    return (uint32_t)(rule >> 32);
}

/* In bytes. */
static inline intptr_t ct_rule_fp_offset(uint64_t rule)
{
    return (intptr_t)(int8_t)(rule >> 8) * 8;
}

/*
 * The rule for the frame that returns to `ra` (its tables are asked for ra - 1).  `*ret_keep` tells
 * whether the rule belongs to a module, so that it stays true until the module is closed.
 */
uint64_t ct_unwind_rule(uint64_t ra, bool *ret_keep);

/* Whether an address lies in a module, and whether two are in one function: one that the tables know. */
bool ct_unwind_in_module(uint64_t address);
bool ct_unwind_same_function(uint64_t one, uint64_t other);
