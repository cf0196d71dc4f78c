/* System calls without libc: no errno, no wrapper of ours, no cancellation point.  Results are negative errno on failure; one
 * that the program's own filter would kill for is not made (-EPERM). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "record/sandbox.h"

#if defined(__SANITIZE_THREAD__)
#include <sys/mman.h>
#endif

static inline __attribute__((always_inline)) long ct_syscall6(long no, long a, long b, long c, long d, long e, long f)
{
    if (__builtin_expect(atomic_load_explicit(&ct_sandbox_on, memory_order_relaxed), 0) && ct_sandbox_forbids(no))
        return -1;                      /* -EPERM */
#if defined(__SANITIZE_THREAD__)
    /* The thread sanitizer must see memory come and go, or it takes a new block for the one that lay there before. */
    if (no == SYS_mmap)
        return (long)mmap((void *)a, (size_t)b, (int)c, (int)d, (int)e, f);
    if (no == SYS_munmap)
        return munmap((void *)a, (size_t)b);
#endif
#if defined(__x86_64__)
    long ret;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;

    asm volatile("syscall" : "=a"(ret) : "0"(no), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return ret;
#elif defined(__aarch64__)
    register long x8 asm("x8") = no;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    register long x5 asm("x5") = f;

    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "system calls of this CPU are not known"
#endif
}

/* ct_syscall(no, up to six arguments of any scalar type) */
#define CT_SYSCALL_PICK(_0, _1, _2, _3, _4, _5, _6, n, ...) n
#define ct_syscall(...) \
    CT_SYSCALL_PICK(__VA_ARGS__, CT_SYS6, CT_SYS5, CT_SYS4, CT_SYS3, CT_SYS2, CT_SYS1, CT_SYS0, 0)(__VA_ARGS__)
#define CT_SYS0(n) ct_syscall6(n, 0, 0, 0, 0, 0, 0)
#define CT_SYS1(n, a) ct_syscall6(n, (long)(a), 0, 0, 0, 0, 0)
#define CT_SYS2(n, a, b) ct_syscall6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define CT_SYS3(n, a, b, c) ct_syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CT_SYS4(n, a, b, c, d) ct_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CT_SYS5(n, a, b, c, d, e) ct_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CT_SYS6(n, a, b, c, d, e, f) ct_syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
