/* Names that threads get. */
#include <stdarg.h>
#include <sys/prctl.h>

#include "record/session.h"
#include "record/syscall.h"
#include "record/thread.h"
#include "wrap/real.h"
#include "wrap/thread_id.h"
#include "wrap/wrap.h"

CT_WRAPPER int pthread_setname_np(pthread_t thread, const char *name)
{
    int r = ct_real.pthread_setname_np(thread, name);

    if (r == 0 && ct_arena)
        ct_thread_renamed(ct_thread_tid(thread), name);
    return r;
}

/* Like libc's own, it hands on four arguments, given or not.  The kernel has read the name when it said yes. */
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
    r = ct_real.prctl(option, a, b, c, d);
    if (r == 0 && option == PR_SET_NAME && ct_arena)
        ct_thread_renamed((uint32_t)ct_syscall(SYS_gettid), (const char *)a);
    return r;
}
