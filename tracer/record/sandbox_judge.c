/* What a filter of system calls makes of each, without knowing the arguments. */
#include "record/sandbox_judge.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
enum { THIS_MACHINE = 0xc000003e };     /* AUDIT_ARCH_X86_64, which is no int */
#else
enum { THIS_MACHINE = 0xc00000b7 };
#endif

/*
 * Jumps lead forward only, so one walk over the instructions tells for each of them what the accumulator may hold there:
 * the call's number, the machine, or what is not known, an argument for instance.  Of a comparison with that both ways are
 * gone.  Bits of a set of these:
 */
enum { NUMBER = 1, MACHINE = 2, UNKNOWN = 4 };

enum { CALLS = 512 };

struct walk {
    const struct sock_filter *filter;
    unsigned size;
    uint32_t number;
    bool passes;                        /* so far */
    uint8_t reached[BPF_MAXINSNS];      /* a set for each instruction */
};

static void reach(struct walk *w, unsigned at, uint64_t by, uint8_t with)
{
    if (by < w->size - at)
        w->reached[at + by] |= with;
    else
        w->passes = false;              /* the kernel will not take it */
}

static bool compare(const struct sock_filter *f, uint32_t value)
{
    switch (BPF_OP(f->code)) {
    case BPF_JEQ: return value == f->k;
    case BPF_JGT: return value > f->k;
    case BPF_JGE: return value >= f->k;
    default: return (value & f->k) != 0;
    }
}

static void jump(struct walk *w, unsigned at, uint8_t holds)
{
    const struct sock_filter *f = &w->filter[at];
    uint32_t value = holds == NUMBER ? w->number : THIS_MACHINE;

    if (BPF_OP(f->code) == BPF_JA) {
        reach(w, at, (uint64_t)f->k + 1, holds);
    } else if (holds == UNKNOWN || BPF_SRC(f->code) == BPF_X) {
        reach(w, at, f->jt + 1u, holds);
        reach(w, at, f->jf + 1u, holds);
    } else {
        reach(w, at, (compare(f, value) ? f->jt : f->jf) + 1u, holds);
    }
}

static uint8_t loaded(const struct sock_filter *f)
{
    if (f->code != (BPF_LD | BPF_W | BPF_ABS))
        return UNKNOWN;
    return f->k == offsetof(struct seccomp_data, nr) ? NUMBER : f->k == offsetof(struct seccomp_data, arch) ? MACHINE : UNKNOWN;
}

/* A mask that takes nothing away, as of the bit that tells calls of x32, leaves what is known. */
static uint8_t calculated(const struct walk *w, const struct sock_filter *f, uint8_t holds)
{
    uint32_t value = holds == NUMBER ? w->number : THIS_MACHINE;

    return holds != UNKNOWN && f->code == (BPF_ALU | BPF_AND | BPF_K) && (value & f->k) == value ? holds : UNKNOWN;
}

static bool lets_pass(const struct sock_filter *f)
{
    uint32_t action = f->k & SECCOMP_RET_ACTION_FULL;

    return BPF_RVAL(f->code) == BPF_K &&
           (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_ERRNO);
}

static void step(struct walk *w, unsigned at, uint8_t holds)
{
    const struct sock_filter *f = &w->filter[at];

    switch (BPF_CLASS(f->code)) {
    case BPF_RET:
        w->passes = w->passes && lets_pass(f);
        break;
    case BPF_JMP:
        jump(w, at, holds);
        break;
    case BPF_LD:
        reach(w, at, 1, loaded(f));
        break;
    case BPF_ALU:
        reach(w, at, 1, calculated(w, f, holds));
        break;
    case BPF_MISC:
        reach(w, at, 1, BPF_MISCOP(f->code) == BPF_TXA ? UNKNOWN : holds);
        break;
    default:                            /* LDX, ST, STX */
        reach(w, at, 1, holds);
        break;
    }
}

static bool passes(struct walk *w, uint32_t number)
{
    w->number = number;
    w->passes = true;
    memset(w->reached, 0, w->size);
    w->reached[0] = UNKNOWN;
    for (unsigned at = 0; at < w->size && w->passes; at++)
        for (uint8_t holds = NUMBER; holds <= UNKNOWN; holds = (uint8_t)(holds << 1))
            if (w->reached[at] & holds)
                step(w, at, holds);
    return w->passes;
}

void ct_sandbox_judge(const struct sock_filter *filter, unsigned size, uint64_t ret[8])
{
    struct walk w = { .filter = filter, .size = size };

    for (uint32_t number = 0; number < CALLS; number++)
        if (size == 0 || size > BPF_MAXINSNS || !passes(&w, number))
            ret[number / 64] |= (uint64_t)1 << number % 64;
}
