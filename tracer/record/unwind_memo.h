/* Stacks captured a moment ago: a look at each word they went by proves that nothing changed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "record/unwind_step.h"

/*
 * A walk is a function of its first registers, of the words it loads, and of the rules.  A memo
 * keeps the former two: when the registers are the same and each word still holds what it held, the
 * stack is the same, found without a single rule.  Words that only restored a frame pointer nobody
 * went by are left out: they change all the time.
 */

enum {
    MEMO_SETS = 4,
    MEMO_WAYS = 2,
    MEMO_WORDS = 97,
    MEMO_PCS = 64,
    MEMO_STEP = 4,
    MEMO_SEEN = 4,
    MEMO_PATIENCE = 8
};

struct memo_word {
    uintptr_t at;
    uint64_t value;
};

/* What a capture was asked. */
struct memo_key {
    struct ct_unwind_regs regs;
    uintptr_t high;
    uint64_t epoch;
    uint64_t max;
};

struct memo {
    struct memo_key key;
    uint64_t note;        /* the caller's word */
    uint32_t words_count; /* 0: there is nothing here */
    uint32_t pcs_count;
    uint32_t flags; /* as ct_unwind_from() gave them */
    bool needs_fp;  /* key.regs.fp counts */
    struct memo_word words[MEMO_WORDS];
    uint64_t pcs[MEMO_PCS];
};

/* Stacks of about the same depth, and traces of some that went by without memo. */
struct memo_set {
    struct memo ways[MEMO_WAYS];
    uint64_t seen[MEMO_SEEN];
    uint8_t next_way;
    uint8_t next_seen;
    uint8_t returns; /* how often one came again that had no memo */
};

/* A memo in the making; `word` is `end` when there was too much to write. */
struct memo_pen {
    struct memo_word *word;
    struct memo_word *end;
    bool needs_fp;
};

static inline void memo_add(struct memo_pen *pen, uintptr_t at, uint64_t value)
{
    if (pen->word == pen->end)
        return;
    *pen->word++ = (struct memo_word){ at, value };
}

/* Copies fours, then the rest; the empty asm keeps compilers from calling memcpy instead. */
static inline void memo_copy(uint64_t *to, const uint64_t *from, uint32_t count)
{
    struct four {
        uint64_t words[4];
    };
    uint32_t i = 0;

    for (; count - i >= 4; i += 4) {
        *(struct four *)&to[i] = *(const struct four *)&from[i];
        __asm__ volatile("" : "+r"(i));
    }
    for (; i < count; i++) {
        to[i] = from[i];
        __asm__ volatile("" : "+r"(i));
    }
}

static inline struct memo_pen memo_begin(struct memo *memo, const struct memo_key *key)
{
    memo->words_count = 0;
    memo->note = 0;
    memo->key = *key;
    return (struct memo_pen){ memo->words, memo->words + MEMO_WORDS, false };
}

static inline void memo_end(struct memo *memo, struct memo_pen *pen, const uint64_t *pcs,
                            uint32_t count, uint32_t flags)
{
    if (pen->word == pen->end || pen->word == memo->words || count > MEMO_PCS)
        return;
    while ((pen->word - memo->words) % MEMO_STEP) /* whole steps: the last word once more */
        memo_add(pen, pen->word[-1].at, pen->word[-1].value);
    memo_copy(memo->pcs, pcs, count);
    memo->pcs_count = count;
    memo->flags = flags;
    memo->needs_fp = pen->needs_fp;
    memo->words_count = (uint32_t)(pen->word - memo->words);
}

/*
 * Whether the stack is still the memo's.  Every word lay between sp and high when it was noted, so
 * it still is mapped.
 */
static inline bool memo_holds(const struct memo *memo, const struct memo_key *key)
{
    const struct memo_word *word = memo->words, *end = word + memo->words_count;

    if (word == end || memo->key.regs.sp != key->regs.sp || memo->key.regs.pc != key->regs.pc ||
        memo->key.epoch != key->epoch || memo->key.high != key->high || memo->key.max != key->max ||
        (memo->needs_fp && memo->key.regs.fp != key->regs.fp))
        return false;
    do {
        if (ct_unwind_load(word[0].at) != word[0].value ||
            ct_unwind_load(word[1].at) != word[1].value ||
            ct_unwind_load(word[2].at) != word[2].value ||
            ct_unwind_load(word[3].at) != word[3].value)
            return false;
        word += MEMO_STEP;
    } while (word != end);
    return true;
}

/*
 * Where to make a memo of the stack just unwound, or NULL.  Making one costs as much as unwinding,
 * so only stacks that come again get one, and when there are more of them than memos, only every
 * eighth time.
 */
static inline struct memo *memo_due(struct memo_set *set, const uint64_t *pcs, uint32_t count)
{
    uint64_t mark = count == 0 ? 0
                               : pcs[0] ^ pcs[count / 2] << 16 ^ pcs[count / 4] << 32 ^
                                     (uint64_t)count << 56;

    for (unsigned i = 0; i < MEMO_SEEN; i++)
        if (set->seen[i] == mark)
            return set->returns++ % MEMO_PATIENCE ? NULL : &set->ways[set->next_way++ % MEMO_WAYS];
    set->seen[set->next_seen++ % MEMO_SEEN] = mark;
    return NULL;
}
