/* Unwinding another thread: each word of its stack is fetched by a system call that cannot fault. */
#include "record/dump_stack.h"

#include <string.h>

#include "record/dump_guess.h"
#include "record/rawfile.h"
#include "record/syscall.h"
#include "record/tasks.h"
#include "record/unwind_arch.h"
#include "record/unwind_rule.h"

enum { TRIES = 3, TEXT = 256, STEPS = 4 * CT_DUMP_DEPTH };

/* "0x12 ", or "-1 " and the like; steps past it. */
static bool read_word(const char **at, uint64_t *ret)
{
    bool negative = **at == '-';

    *at += negative;
    if (**at < '0' || **at > '9')
        return false;
    if ((*at)[0] == '0' && (*at)[1] == 'x') {
        *at += 2;
        *ret = ct_raw_number(at, 16);
    } else {
        *ret = ct_raw_number(at, 10);
    }
    if (negative)
        *ret = -*ret;
    *at += **at == ' ';
    return true;
}

/* "NUMBER ARGUMENTS... SP PC", or "-1 SP PC" when it is not in a call; "running". */
bool ct_place_read(uint32_t tid, struct ct_place *ret)
{
    char text[TEXT];
    const char *at = text;
    uint64_t words[9];
    unsigned count = 0;

    if (ct_tasks_read(tid, "syscall", text, sizeof text) <= 0)
        return false;
    while (count < 9 && read_word(&at, &words[count]))
        count++;
    if (count != 9 && count != 3)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->call = (int64_t)words[0];
    if (count == 9)
        memcpy(ret->arguments, words + 1, sizeof ret->arguments);
    ret->sp = words[count - 2];
    ret->pc = words[count - 1];
    return ret->pc != 0;
}

struct frame {
    uint64_t ra, sp, fp;
    bool has_fp;                        /* no frame has told yet what the caller's fp is */
};

#if CT_UNWIND_TABLES
static bool peek(uint64_t address, uint64_t *ret)
{
    return ct_raw_peek(address, ret, sizeof *ret) == 0;
}

static bool step_signal(struct frame *f)
{
    uint64_t at = f->sp, pc;

    if (!peek(at + CT_SIGNAL_PC, &pc) || !peek(at + CT_SIGNAL_SP, &f->sp) || !peek(at + CT_SIGNAL_FP, &f->fp))
        return false;
    f->ra = pc + 1;
    f->has_fp = true;
    return true;
}

/* To the caller by `rule`, for which fp is known if it needs one; false when it cannot be told. */
static bool step(struct frame *f, uint64_t rule)
{
    uint64_t cfa = (rule & CT_RULE_FP ? f->fp : f->sp) + ct_rule_offset(rule), below = f->sp;

    if ((rule & CT_RULE_SLOW) && (rule & CT_RULE_KIND) == CT_RULE_SIGNAL)
        return step_signal(f);
    if ((rule & CT_RULE_SLOW) && ((rule & CT_RULE_KIND) != CT_RULE_ROW || (rule & CT_RULE_FP_AT_FP)))
        return false;
    if (cfa <= below || !peek(cfa - 8, &f->ra))
        return false;
    if (rule & CT_RULE_FP_SAVED) {
        if (!peek(cfa + (uint64_t)ct_rule_fp_offset(rule), &f->fp))
            return false;
        f->has_fp = true;
    }
    f->sp = cfa;
    return true;
}

static uint64_t rule_of(const struct frame *f)
{
    bool keep;

    return f->ra ? ct_unwind_rule(f->ra, &keep) : CT_RULE_SLOW | CT_RULE_LAST;
}

static bool is_last(uint64_t rule)
{
    return (rule & CT_RULE_SLOW) && (rule & CT_RULE_KIND) == CT_RULE_LAST;
}

/* Whether a stack goes on from here to its end. */
static bool reaches_end(uint64_t ra, uint64_t sp, uint64_t fp)
{
    struct frame f = { ra, sp, fp, true };

    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t rule = rule_of(&f);

        if (is_last(rule))
            return true;
        if (!step(&f, rule))
            break;
    }
    return false;
}

/* The usual frame: fp points to the caller's, and behind that is where it returns to. */
static bool find_fp(struct frame *f, uint64_t rule)
{
    if (rule & CT_RULE_SLOW || !(rule & CT_RULE_FP_SAVED) || ct_rule_offset(rule) != 16 || ct_rule_fp_offset(rule) != -16)
        return false;
    f->has_fp = ct_dump_guess_fp(f->ra, f->sp, reaches_end, &f->fp);
    return f->has_fp;
}

static void walk(const struct ct_place *place, struct ct_thread_dump *row)
{
    struct frame f = { .ra = place->pc + 1, .sp = place->sp };

    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t rule = rule_of(&f);

        if ((rule & CT_RULE_SHOWN) && row->depth == CT_DUMP_DEPTH)
            break;
        if (rule & CT_RULE_SHOWN)
            row->pcs[row->depth++] = f.ra;
        if (is_last(rule))
            return;
        if (((rule & CT_RULE_FP) && !f.has_fp && !find_fp(&f, rule)) || !step(&f, rule))
            break;
    }
    row->flags |= CT_DUMP_CUT;
}
#else
static void walk(const struct ct_place *place, struct ct_thread_dump *row)
{
    row->pcs[row->depth++] = place->pc + 1;
    row->flags |= CT_DUMP_CUT;
}
#endif

/* What was read holds only if the thread is still in the same call. */
bool ct_dump_stack(struct ct_thread_dump *row)
{
    struct ct_place before, after;

    for (int i = 0; i < TRIES; i++) {
        row->depth = 0;
        row->flags = 0;
        if (!ct_place_read(row->tid, &before))
            break;
        row->call = before.call;
        walk(&before, row);
        if (ct_place_read(row->tid, &after) && memcmp(&before, &after, sizeof before) == 0)
            return true;
    }
    row->call = -1;
    row->depth = 0;
    row->flags = CT_DUMP_RUNNING;
    return false;
}
