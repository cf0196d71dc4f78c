/* prctl() and seccomp(): a thread's name, and filters of system calls that it goes behind. */
#include "wrap/prctl.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "record/sandbox_enter.h"
#include "record/session_state.h"
#include "record/thread.h"
#include "wrap/real.h"
#include "wrap/wrap.h"

/* `real` between what is to be told before a filter is there and after.  `all`: of all threads at once. */
#define ENTERING(strict, filter, all, real, installed) \
    __extension__({ \
        struct ct_sandbox_step ct_step; \
        __typeof__(real) ct_result; \
        ct_sandbox_enter(&ct_step, strict, (const struct sock_fprog *)(filter), all); \
        ct_result = (real); \
        ct_sandbox_entered(&ct_step, installed); \
        ct_result; \
    })

/* The kernel has read the name when it said yes. */
static void renamed(unsigned long name)
{
    if (ct_arena)
        ct_thread_renamed(ct_thread_tid_now(), (const char *)name);
}

/* A thread that may not read the TSC is as one in strict mode, which takes that away as well. */
static bool is_strict(int option, unsigned long a)
{
    return option == PR_SET_SECCOMP ? a == SECCOMP_MODE_STRICT : a == PR_TSC_SIGSEGV;
}

/* Like libc's own, it hands on four arguments, given or not. */
CT_WRAPPER int prctl(int option, ...)
{
    unsigned long a, b, c, d;
    va_list list;
    int r;

    va_start(list, option);
    a = va_arg(list, unsigned long);
    b = va_arg(list, unsigned long);
    c = va_arg(list, unsigned long);
    d = va_arg(list, unsigned long);
    va_end(list);
    if (option == PR_SET_SECCOMP || option == PR_SET_TSC)
        return ENTERING(is_strict(option, a), option == PR_SET_SECCOMP && a == SECCOMP_MODE_FILTER ? b : 0, false,
                        ct_real.prctl(option, a, b, c, d), ct_result == 0);
    r = ct_real.prctl(option, a, b, c, d);
    if (r == 0 && option == PR_SET_NAME)
        renamed(a);
    return r;
}

/* One that covers all threads, but could not, says which; one with a listener is a descriptor. */
static long seccomp(long (*real)(long, ...), long operation, long flags, long what)
{
    return ENTERING(operation == SECCOMP_SET_MODE_STRICT, operation == SECCOMP_SET_MODE_FILTER ? what : 0,
                    (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0, real(SYS_seccomp, operation, flags, what, 0, 0, 0),
                    ct_result == 0 || (ct_result > 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)));
}

long ct_prctl_numbered(long (*real)(long, ...), long no, const long *argument)
{
    long r;

    if (no == SYS_seccomp)
        return seccomp(real, argument[0], argument[1], argument[2]);
    if (argument[0] == PR_SET_SECCOMP || argument[0] == PR_SET_TSC)
        return ENTERING(is_strict((int)argument[0], (unsigned long)argument[1]),
                        argument[0] == PR_SET_SECCOMP && argument[1] == SECCOMP_MODE_FILTER ? argument[2] : 0, false,
                        real(no, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]), ct_result == 0);
    r = real(no, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
    if (r == 0 && argument[0] == PR_SET_NAME)
        renamed((unsigned long)argument[1]);
    return r;
}
