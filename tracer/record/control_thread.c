/* Making a thread that libc does not know. */
#include "record/control_thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "record/syscall.h"

/*
 * The block holds the stack below and a thread control block above: code compiled with initial-exec TLS or a stack
 * protector finds memory there that is its own.  It is kept for the process's life and used again.
 */
enum { STACK_SIZE = 64 << 10, TLS_BELOW = 16 << 10, TLS_ABOVE = 8 << 10, BLOCK = STACK_SIZE + TLS_BELOW + TLS_ABOVE };

static char *block;
static void (*volatile thread_body)(void);
static uint32_t last_tid;               /* of the thread made last */

static __attribute__((noreturn, used)) void run(void)
{
    thread_body();
    for (;;)
        ct_syscall(SYS_exit, 0);
}

#if defined(__x86_64__)
static long clone_raw(unsigned long flags, void *stack, _Atomic uint32_t *tid, void *tls)
{
    register long r10 asm("r10") = (long)tid;
    register long r8 asm("r8") = (long)tls;
    long ret;

    asm volatile("syscall\n\t"
                 "test %%rax, %%rax\n\t"
                 "jnz 1f\n\t"
                 "xor %%ebp, %%ebp\n\t"
                 "call *%[run]\n\t"
                 "ud2\n"
                 "1:"
                 : "=a"(ret)
                 : "0"(SYS_clone), "D"(flags), "S"(stack), "d"(tid), "r"(r10), "r"(r8), [run] "r"(run)
                 : "rcx", "r11", "memory");
    return ret;
}

/* What glibc's code may read through the thread pointer: itself, twice, and the two guards. */
static void *make_tls(char *at)
{
    uintptr_t *tcb = (uintptr_t *)at, canary, guard;

    asm("mov %%fs:0x28, %0" : "=r"(canary));
    asm("mov %%fs:0x30, %0" : "=r"(guard));
    tcb[0] = tcb[2] = (uintptr_t)tcb;
    tcb[5] = canary;
    tcb[6] = guard;
    return tcb;
}
#elif defined(__aarch64__)
static long clone_raw(unsigned long flags, void *stack, _Atomic uint32_t *tid, void *tls)
{
    register long x8 asm("x8") = SYS_clone;
    register long x0 asm("x0") = (long)flags;
    register long x1 asm("x1") = (long)stack;
    register long x2 asm("x2") = (long)tid;
    register long x3 asm("x3") = (long)tls;
    register long x4 asm("x4") = (long)tid;

    asm volatile("svc 0\n\t"
                 "cbnz x0, 1f\n\t"
                 "mov x29, xzr\n\t"
                 "blr %[run]\n\t"
                 "brk #1\n"
                 "1:"
                 : "+r"(x0)
                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [run] "r"(run)
                 : "x30", "memory");
    return x0;
}

static void *make_tls(char *at)
{
    return at;
}
#endif

int ct_raw_thread_start(void (*body)(void), _Atomic uint32_t *tid)
{
    static const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                       CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    uint64_t all = ~(uint64_t)0, before = 0;
    long r;

    if (!block) {
        r = ct_syscall(SYS_mmap, 0, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (r < 0)
            return (int)r;
        block = (char *)r;
    }
    memset(block + STACK_SIZE + TLS_BELOW, 0, TLS_ABOVE);
    thread_body = body;
    ct_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof before);
    r = clone_raw(flags, block + STACK_SIZE - 64, tid, make_tls(block + STACK_SIZE + TLS_BELOW));
    ct_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
    if (r < 0)
        return (int)r;
    last_tid = (uint32_t)r;
    return 0;
}

/* By its stack, which is never given away. */
bool ct_raw_thread_is_self(void)
{
    char here;

    return block && (uintptr_t)&here - (uintptr_t)block < BLOCK;
}

/*
 * The kernel clears `*tid` before it takes the thread out of the process: for unshare() and setns() it must be gone for
 * good, which is so when no signal reaches it any more.
 */
void ct_raw_thread_join(_Atomic uint32_t *tid)
{
    uint32_t now;

    while ((now = atomic_load_explicit(tid, memory_order_acquire)) != 0)
        ct_syscall(SYS_futex, tid, FUTEX_WAIT, now, 0, 0, 0);
    while (last_tid && ct_syscall(SYS_tgkill, ct_syscall(SYS_getpid), last_tid, 0) == 0)
        ct_syscall(SYS_sched_yield);
    last_tid = 0;
}
