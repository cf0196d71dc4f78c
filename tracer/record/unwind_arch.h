/* What the unwinder must know of the processor: its registers, how to read them here, and its signal frame. */
#pragma once

#include <stdint.h>

/* The three registers a frame is unwound with. */
struct ct_unwind_regs {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp;       /* x86-64: rbp, whatever the program keeps in it; arm64: x29 */
};

#if defined(__x86_64__)

#define CT_UNWIND_TABLES 1      /* this processor's stacks are unwound by tables */

/* DWARF numbers. */
enum { CT_DWARF_FP = 6, CT_DWARF_SP = 7, CT_DWARF_RA = 16 };

/* A signal's frame: __restore_rt finds sp at the ucontext the kernel wrote. */
enum { CT_SIGNAL_FP = 120, CT_SIGNAL_SP = 160, CT_SIGNAL_PC = 168, CT_SIGNAL_END = 176 };

/* The registers at this very place.  One asm, so that the tables' row for pc describes just these sp and fp. */
static inline __attribute__((always_inline)) void ct_unwind_regs_here(struct ct_unwind_regs *ret)
{
    uintptr_t pc, sp, fp;

    __asm__ volatile("lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2" : "=&r"(pc), "=&r"(sp), "=&r"(fp));
    *ret = (struct ct_unwind_regs){ pc, sp, fp };
}

#elif defined(__aarch64__)

#define CT_UNWIND_TABLES 0      /* not taught yet to read tables here: stacks hold one address, flagged as truncated */

static inline __attribute__((always_inline)) void ct_unwind_regs_here(struct ct_unwind_regs *ret)
{
    uintptr_t sp, fp;

    __asm__ volatile("mov %0, sp\n\tmov %1, x29" : "=&r"(sp), "=&r"(fp));
    *ret = (struct ct_unwind_regs){ (uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)), sp, fp };
}

#else
#error "ctrace knows x86-64 and arm64 only"
#endif
