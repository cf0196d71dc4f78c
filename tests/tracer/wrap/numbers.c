/* System calls by number, through syscall(): results are the kernel's, and children made so go on where they should. */
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cases.h"

#ifdef __x86_64__
static void *child_stack[512] __attribute__((aligned(16)));
void ends(void);
__asm__("ends:\n\tmov $60, %eax\n\tmov $9, %edi\n\tsyscall\n");
#endif

/* By number: those that wait or move bytes, those that are -1 of ours, those that return twice. */
static void numbers(void)
{
    struct timespec span = { 0, 2000000 };
    int word = 1, fds[2], status = 0;
    char byte;
    long child;

    (void)!pipe(fds);
    SHOW_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 2, NULL, NULL, 0));
    SHOW_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, &span, NULL, 0));
    SHOW_ERRNO(syscall(SYS_futex, &word, FUTEX_WAKE, 1));
    SHOW_ERRNO(syscall(SYS_write, fds[1], "x", 1));
    SHOW_ERRNO(syscall(SYS_read, fds[0], &byte, 1));
    SHOW_ERRNO(syscall(SYS_close, fds[0]));
    SHOW_ERRNO(syscall(SYS_lseek, -1, 0L, SEEK_SET));
    SHOW_ERRNO(syscall(SYS_pwrite64, -1, "abc", 3UL, 1L));
    SHOW_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "none", AT_FDCWD, "other", 0));
    SHOW_ERRNO(syscall(SYS_mmap, NULL, 4096UL, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 4095L));
    SHOW_ERRNO(syscall(-1L));
    SHOW_ERRNO(syscall(1000000L, 1, 2, 3, 4, 5, 6));
    child = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0)
        _exit(7);
    SHOW_ERRNO(syscall(SYS_wait4, child, &status, 0, NULL) == child);
    printf("%d\n", WEXITSTATUS(status));
#ifdef __x86_64__
    /* A child with a stack of its own goes on where that says: with a frame between it would not get there. */
    child_stack[sizeof child_stack / sizeof *child_stack - 2] = (void *)ends;
    child = syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, &child_stack[sizeof child_stack / sizeof *child_stack - 2], 0L, 0L, 0L);
    SHOW_ERRNO(syscall(SYS_wait4, child, &status, 0, NULL) == child);
    printf("%d\n", WEXITSTATUS(status));
#endif
}

CASES({ "all", numbers })
