/* Wrappers that leave all registers alone: their jumps, and the look-up that the first call makes on its way. */
#include "wrap/passed.h"

#include <errno.h>

#include "wrap/wrap.h"

/* HOT: in every call of such a function.
 *   budget   nobody listens: one instruction, as in route.c.
 *   never    has a frame of its own when the real function runs, unless it is recorded. */

#if defined(__x86_64__)

static long missing(void)
{
    errno = ENOSYS;
    return -1;
}

/* Called by the code below, in the place of the real function; keeps errno.  Whoever comes first stores what all would. */
const void *ct_passed_settle(struct ct_passed *p) __attribute__((visibility("hidden")));
const void *ct_passed_settle(struct ct_passed *p)
{
    const void *found = ct_real_symbol(p->name), *first = __atomic_load_n(&p->real, __ATOMIC_RELAXED);

    if (!found)
        found = (const void *)missing;
    __atomic_compare_exchange_n(&p->way, &first, found, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    __atomic_store_n(&p->real, found, __ATOMIC_RELAXED);
    return found;
}

/*
 * Each wrapper is one jump; the code that its first call finds leads to ct_passed_first, which saves what arguments may be
 * in (al says how many vector registers hold some) and jumps on as if it had not been there.  ct_go_NAME jumps to the real
 * function for code that has something to do first.  One statement: the counter is the assembler's.
 */
asm(".pushsection ct_routed, \"ax\", @progbits\n"
    ".hidden ct_passed\n"
    ".hidden ct_passed_settle\n"
    ".set ct_passed_at, 0\n"
#define PASSED(result, name, ...) \
    "\t.globl " #name "\n\t.type " #name ", @function\n\t.p2align 4\n" #name ":\n" \
    "\t.cfi_startproc\n\tjmp *ct_passed+ct_passed_at(%rip)\n\t.cfi_endproc\n\t.size " #name ", . - " #name "\n" \
    "\t.globl ct_first_" #name "\n\t.hidden ct_first_" #name "\n\t.type ct_first_" #name ", @function\nct_first_" #name ":\n" \
    "\t.cfi_startproc\n\tlea ct_passed+ct_passed_at(%rip), %r11\n\tjmp ct_passed_first\n\t.cfi_endproc\n" \
    "\t.size ct_first_" #name ", . - ct_first_" #name "\n" \
    "\t.globl ct_go_" #name "\n\t.hidden ct_go_" #name "\n\t.type ct_go_" #name ", @function\nct_go_" #name ":\n" \
    "\t.cfi_startproc\n\tjmp *ct_passed+ct_passed_at+8(%rip)\n\t.cfi_endproc\n\t.size ct_go_" #name ", . - ct_go_" #name "\n" \
    "\t.set ct_passed_at, ct_passed_at + 32\n"
#include "wrap/real.def"
    "\t.type ct_passed_first, @function\n\t.p2align 4\n"
    "ct_passed_first:\n"
    "\t.cfi_startproc\n"
    "\tsub $200, %rsp\n"
    "\t.cfi_adjust_cfa_offset 200\n"
    "\tmov %rax, 128(%rsp)\n\tmov %rdi, 136(%rsp)\n\tmov %rsi, 144(%rsp)\n\tmov %rdx, 152(%rsp)\n"
    "\tmov %rcx, 160(%rsp)\n\tmov %r8, 168(%rsp)\n\tmov %r9, 176(%rsp)\n\tmov %r10, 184(%rsp)\n"
    "\tmovaps %xmm0, (%rsp)\n\tmovaps %xmm1, 16(%rsp)\n\tmovaps %xmm2, 32(%rsp)\n\tmovaps %xmm3, 48(%rsp)\n"
    "\tmovaps %xmm4, 64(%rsp)\n\tmovaps %xmm5, 80(%rsp)\n\tmovaps %xmm6, 96(%rsp)\n\tmovaps %xmm7, 112(%rsp)\n"
    "\tmov %r11, %rdi\n"
    "\tcall ct_passed_settle\n"
    "\tmov %rax, %r11\n"
    "\tmovaps (%rsp), %xmm0\n\tmovaps 16(%rsp), %xmm1\n\tmovaps 32(%rsp), %xmm2\n\tmovaps 48(%rsp), %xmm3\n"
    "\tmovaps 64(%rsp), %xmm4\n\tmovaps 80(%rsp), %xmm5\n\tmovaps 96(%rsp), %xmm6\n\tmovaps 112(%rsp), %xmm7\n"
    "\tmov 128(%rsp), %rax\n\tmov 136(%rsp), %rdi\n\tmov 144(%rsp), %rsi\n\tmov 152(%rsp), %rdx\n"
    "\tmov 160(%rsp), %rcx\n\tmov 168(%rsp), %r8\n\tmov 176(%rsp), %r9\n\tmov 184(%rsp), %r10\n"
    "\tadd $200, %rsp\n"
    "\t.cfi_adjust_cfa_offset -200\n"
    "\tjmp *%r11\n"
    "\t.cfi_endproc\n"
    "\t.size ct_passed_first, . - ct_passed_first\n"
    "\t.popsection\n");

#define PASSED(result, name, ...) \
    extern const char ct_first_##name[] __attribute__((visibility("hidden"))); \
    extern const char ct_seen_##name[] __attribute__((visibility("hidden")));
#include "wrap/real.def"

struct ct_passed ct_passed[CT_PASSED_END] = {
#define PASSED(result, name, ...) { ct_first_##name, ct_first_##name, ct_seen_##name, #name },
#include "wrap/real.def"
};
_Static_assert(sizeof(struct ct_passed) == 32 && offsetof(struct ct_passed, real) == 8, "the assembly above knows it");

/* Relaxed: a call that still goes the old way is one that was made a moment before. */
void ct_passed_lead(bool through)
{
    for (unsigned i = 0; i < CT_PASSED_END; i++)
        __atomic_store_n(&ct_passed[i].way, through ? ct_passed[i].body : __atomic_load_n(&ct_passed[i].real, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
}

#else

/* Not wrapped: nobody has been able to run it there. */
void ct_passed_lead(bool through)
{
    (void)through;
}

#endif
