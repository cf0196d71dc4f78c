/* syscall(): the calls by number that are recorded; all others leave no trace of us on the stack or in a register. */
#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "record/session.h"
#include "wrap/called.h"
#include "wrap/counted.h"
#include "wrap/passed.h"
#include "wrap/prctl.h"

#if defined(__x86_64__)

enum kind { NONE, timed, held, futex, child, signalled, named, closed, listed, looked_at, alone };

enum { NUMBERS = 512 };

/* HOT: looked at by each syscall() while somebody listens; kind 0: passed on. */
struct ct_numbered {
    uint8_t kind;
    uint8_t call;
    int8_t object;                      /* which argument; -1: none */
};
const struct ct_numbered ct_numbered[NUMBERS] __attribute__((visibility("hidden"))) = {
#define NUMBERED(name, call, kind, object) [SYS_##name] = { kind, CT_CALL_##call, object },
#include "wrap/syscalls.def"
    [SYS_prctl] = { looked_at, 0, -1 }, [SYS_seccomp] = { looked_at, 0, -1 },
    [SYS_getdents] = { listed, CT_CALL_getdents64, 0 },
    [SYS_unshare] = { alone, 0, -1 }, [SYS_setns] = { alone, 0, -1 },
};
_Static_assert(sizeof(struct ct_numbered) == 3 && CT_CALL_END <= 256, "the assembly below, and the field, know it");

/*
 * A child made by clone or vfork returns here a second time, on another stack or on its parent's: so nothing may be on it.
 * 512 is NUMBERS.
 */
asm(".pushsection .text\n"
    ".hidden ct_numbered\n"
    ".hidden ct_syscall_seen\n"
    ".hidden ct_go_syscall\n"
    "\t.globl ct_seen_syscall\n\t.hidden ct_seen_syscall\n\t.type ct_seen_syscall, @function\n\t.p2align 4\n"
    "ct_seen_syscall:\n"
    "\t.cfi_startproc\n"
    "\tcmp $512, %rdi\n"
    "\tjae 1f\n"
    "\tlea (%rdi,%rdi,2), %rax\n"
    "\tlea ct_numbered(%rip), %r11\n"
    "\tcmpb $0, (%r11,%rax)\n"
    "\tjne ct_syscall_seen\n"
    "1:\tjmp ct_go_syscall\n"
    "\t.cfi_endproc\n"
    "\t.size ct_seen_syscall, . - ct_seen_syscall\n"
    "\t.popsection\n");

static const uint8_t categories[CT_CALL_END] = {
#define CALL(no, name, category, direction) [no] = CT_CAT_##category,
#include "format/calls.def"
};

static bool waits(long operation)
{
    int what = (int)operation & FUTEX_CMD_MASK;

    return what == FUTEX_WAIT || what == FUTEX_WAIT_BITSET || what == FUTEX_LOCK_PI || what == FUTEX_WAIT_REQUEUE_PI ||
           what == FUTEX_LOCK_PI2;
}

static void tell(const struct ct_numbered *n, const long *argument, long object, uint64_t start, long returned)
{
    int64_t result = CT_CALL_RESULT(returned);

    switch ((enum kind)n->kind) {
    case NONE: case looked_at: case alone:
        break;
    case timed: case closed: case listed:
        ct_timed_end(categories[n->call], n->call, (int)object, start, returned);
        break;
    case held: case futex:
        ct_called_lock(n->call, object, start, result);
        break;
    case child:
        ct_called_child(n->call, object, start, result);
        break;
    case signalled:
        ct_called_signal(n->call, start, result);
        break;
    case named:
        ct_called_path(n->call, (const char *)argument[n->object],
                       n->call == CT_CALL_renameat ? (const char *)argument[3] : NULL, start, result);
        break;
    }
}

/* What is written there is the end of the folder only when there is no more. */
static long list(long (*real)(long, ...), long no, const long *argument)
{
    size_t name_at = no == SYS_getdents64 ? offsetof(struct dirent64, d_name) : offsetof(struct dirent64, d_name) - 1;
    long returned, left;

    do {
        returned = CT_TIMED(getdents64, (int)argument[0], real(no, argument[0], argument[1], argument[2]));
        left = ct_counted_listed((int)argument[0], (void *)argument[1], returned, name_at);
    } while (returned > 0 && left == 0);
    return left;
}

/* The arguments that the caller did not give are read as libc reads them; the last one stands on its stack. */
long ct_syscall_seen(long no, long a, long b, long c, long d, long e, long f) __attribute__((visibility("hidden")));
long ct_syscall_seen(long no, long a, long b, long c, long d, long e, long f)
{
    long (*real)(long, ...) = (long (*)(long, ...))CT_PASSED_REAL(syscall);
    const struct ct_numbered *n = &ct_numbered[no];
    const long argument[] = { a, b, c, d, e, f };
    long object = n->object < 0 ? -1 : argument[n->object], returned;
    uint64_t start;

    CT_SAVE_FP();
    if (n->kind == looked_at)
        return ct_prctl_numbered(real, no, argument);
    if (n->kind == alone) {             /* as wrap/credentials.c */
        ct_session_alone_begin();
        returned = real(no, a, b, c, d, e, f);
        ct_session_alone_end();
        return returned;
    }
    if (n->kind == listed)
        return list(real, no, argument);
    if (n->kind == closed)
        ct_fd_forget((int)a);
    if (!ct_recording(categories[n->call]) || (n->kind == futex && !waits(b)))
        return real(no, a, b, c, d, e, f);
    start = ct_timed_begin(n->call, n->kind == timed ? (int)object : -1);
    returned = real(no, a, b, c, d, e, f);
    tell(n, argument, object, start, returned);
    return returned;
}

#endif
