/* What the unwinder must know of the processor: registers, how to read them, signal frames. */
#pragma once

#include <signal.h>
#include <stdint.h>

/* The three registers a frame is unwound with. */
struct ct_unwind_regs {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t fp; /* x86-64: rbp, whatever the program keeps in it; arm64: x29 */
};

#if defined(__x86_64__)

#define CT_UNWIND_TABLES 1 /* this processor's stacks are unwound by tables */

#define CT_UNWIND_ADDRESS_MAX 0x7fffffffffff /* of user space; what is above is no return address */

/* DWARF numbers. */
enum { CT_DWARF_FP = 6, CT_DWARF_SP = 7, CT_DWARF_RA = 16 };

/* A signal's frame: __restore_rt finds sp at the ucontext the kernel wrote. */
enum { CT_SIGNAL_FP = 120, CT_SIGNAL_SP = 160, CT_SIGNAL_PC = 168, CT_SIGNAL_END = 176 };

/*
 * The registers at this very place.  One asm, and its pc is its own first instruction: the tables'
 * row for that pc describes just these sp and fp.  rbp is read first, because any of the outputs
 * may be given that register.
 */
static inline __attribute__((always_inline)) void ct_unwind_regs_here(struct ct_unwind_regs *ret)
{
    uintptr_t pc, sp, fp;

    __asm__ volatile("1:\tmov %%rbp, %2\n\tmov %%rsp, %1\n\tlea 1b(%%rip), %0"
                     : "=&r"(pc), "=&r"(sp), "=&r"(fp));
    *ret = (struct ct_unwind_regs){ pc, sp, fp };
}

static inline __attribute__((always_inline)) uintptr_t ct_unwind_stack_pointer(void)
{
    uintptr_t sp;

    __asm__ volatile("mov %%rsp, %0" : "=r"(sp));
    return sp;
}

/* sigaltstack(NULL, ret) without libc's errno. */
static inline int ct_unwind_sigaltstack(stack_t *ret)
{
    long r = 131; /* __NR_sigaltstack */

    __asm__ volatile("syscall" : "+a"(r) : "D"(0), "S"(ret) : "rcx", "r11", "memory");
    return (int)r;
}

#elif defined(__aarch64__)

#define CT_UNWIND_TABLES                                                                           \
    0 /* not taught yet to read tables here: stacks hold one address, flagged as truncated */

#define CT_UNWIND_ADDRESS_MAX 0x7fffffffffff /* of user space; what is above is no return address */

/* DWARF numbers. */
enum { CT_DWARF_FP = 29, CT_DWARF_SP = 31, CT_DWARF_RA = 30 };

static inline __attribute__((always_inline)) void ct_unwind_regs_here(struct ct_unwind_regs *ret)
{
    uintptr_t sp, fp;

    __asm__ volatile("mov %0, sp\n\tmov %1, x29" : "=&r"(sp), "=&r"(fp));
    *ret = (struct ct_unwind_regs){
        (uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)), sp, fp
    };
}

#else
#error "ctrace knows x86-64 and arm64 only"
#endif
