/* Looking through a stack for the return address of a call of a given function. */
#include "record/dump_guess.h"

#include <string.h>

#include "record/rawfile.h"
#include "record/unwind_rule.h"

enum { FAR = 64 << 10, CHUNK = 128 };   /* bytes, words */

enum answer { NO, PERHAPS, YES };

/* The longest call instruction that tells where it leads: `ff 15` and its like; that with a register is shorter. */
enum { CALL_MAX = 7 };

static uint64_t read_relative(const uint8_t *at, uint64_t next)
{
    int32_t relative;

    memcpy(&relative, at, sizeof relative);
    return next + (uint64_t)(int64_t)relative;
}

/* An entry of the procedure linkage table jumps where a word says. */
static uint64_t through_plt(uint64_t target)
{
    static const uint8_t endbr[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
    uint8_t code[16];
    unsigned at = 0;
    uint64_t word;

    if (ct_raw_peek(target, code, sizeof code) < 0)
        return target;
    if (memcmp(code, endbr, sizeof endbr) == 0)
        at += sizeof endbr;
    at += code[at] == 0xf2;
    if (code[at] != 0xff || code[at + 1] != 0x25 ||
        ct_raw_peek(read_relative(code + at + 2, target + at + 6), &word, sizeof word) < 0)
        return target;
    return word;
}

static enum answer is_same(uint64_t target, uint64_t ra)
{
    return ct_unwind_same_function(target, ra - 1) || ct_unwind_same_function(through_plt(target), ra - 1) ? YES : NO;
}

/* Whether the instruction before `back` calls the function that returns to `ra`. */
static enum answer calls(uint64_t back, uint64_t ra)
{
    uint8_t code[CALL_MAX];
    uint64_t word;

    if (ct_raw_peek(back - CALL_MAX, code, sizeof code) < 0)
        return NO;
    if (code[2] == 0xe8)
        return is_same(read_relative(code + 3, back), ra);
    if (code[1] == 0xff && code[2] == 0x15)
        return ct_raw_peek(read_relative(code + 3, back), &word, sizeof word) == 0 ? is_same(word, ra) : NO;
    /* call by a register, or by a word that a register points to: it is not known any more where it led */
    for (unsigned size = 2; size <= CALL_MAX; size++)
        if (code[CALL_MAX - size] == 0xff && (code[CALL_MAX - size + 1] & 0x38) == 0x10)
            return PERHAPS;
    return NO;
}

bool ct_dump_guess_fp(uint64_t ra, uint64_t sp, bool (*fits)(uint64_t ra, uint64_t sp, uint64_t fp), uint64_t *ret)
{
    static uint64_t words[CHUNK + 1];
    uint64_t perhaps = 0;

    if (sp % 8)
        return false;
    for (uint64_t at = sp; at < sp + FAR; at += CHUNK * sizeof *words) {
        if (ct_raw_peek(at, words, sizeof words) < 0)
            break;
        for (unsigned i = 0; i < CHUNK; i++) {
            uint64_t back = words[i + 1], frame = at + i * sizeof *words;
            enum answer answer = ct_unwind_in_module(back) ? calls(back, ra) : NO;

            if (answer == YES) {
                *ret = frame;
                return true;
            }
            if (answer == PERHAPS && !perhaps && fits(back, frame + 16, words[i]))
                perhaps = frame;
        }
    }
    *ret = perhaps;
    return perhaps != 0;
}
