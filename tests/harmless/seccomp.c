/*
 * seccomp HOW PROGRAM [ARGUMENT...]: runs a program behind a filter of system calls; or puts itself behind one and works.
 *
 *   usual    what a container's runtime does to calls that would look at other processes, or at the kernel
 *   shut     the same, and descriptors cannot be had to oneself
 *   poor     an old kernel: no membarrier, no rseq, no clone3, no close_range, no memfd, no statx
 *   itself   a sandbox of its own: what a program may do that only computes, reads and writes, and what a recorded thread
 *            needs (docs/architecture.md, Known limits); all else kills it
 */
#include "harmless.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>

#define ALLOWED(call) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSED(call, error) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

#define USUAL \
    NUMBER, REFUSED(clone3, ENOSYS), REFUSED(openat2, ENOSYS), REFUSED(perf_event_open, EPERM), REFUSED(bpf, EPERM), \
    REFUSED(ptrace, EPERM), REFUSED(process_vm_readv, EPERM), REFUSED(process_vm_writev, EPERM), REFUSED(kcmp, EPERM), \
    REFUSED(userfaultfd, EPERM), REFUSED(keyctl, EPERM), REFUSED(personality, EPERM), REFUSED(setns, EPERM)

static struct sock_filter usual[] = {
    USUAL, REFUSED(unshare, EPERM), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct sock_filter shut[] = {
    USUAL, REFUSED(unshare, EPERM), REFUSED(close_range, EPERM), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct sock_filter poor[] = {
    NUMBER, REFUSED(membarrier, ENOSYS), REFUSED(rseq, ENOSYS), REFUSED(clone3, ENOSYS), REFUSED(close_range, ENOSYS),
    REFUSED(memfd_create, ENOSYS), REFUSED(statx, ENOSYS),
    REFUSED(timer_create, ENOSYS), REFUSED(faccessat2, ENOSYS), REFUSED(epoll_pwait2, ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct sock_filter itself[] = {
    NUMBER, ALLOWED(read), ALLOWED(write), ALLOWED(futex), ALLOWED(mmap), ALLOWED(munmap), ALLOWED(mprotect), ALLOWED(brk),
    ALLOWED(madvise), ALLOWED(mremap), ALLOWED(clock_nanosleep), ALLOWED(nanosleep), ALLOWED(clock_gettime), ALLOWED(poll),
    ALLOWED(close), ALLOWED(fcntl), ALLOWED(newfstatat), ALLOWED(rt_sigreturn), ALLOWED(rt_sigprocmask),
    ALLOWED(rt_sigaction), ALLOWED(rt_sigpending), ALLOWED(getpid), ALLOWED(gettid), ALLOWED(tgkill), ALLOWED(exit),
    ALLOWED(exit_group), ALLOWED(clone), ALLOWED(clone3), ALLOWED(set_robust_list), ALLOWED(rseq), ALLOWED(restart_syscall),
    ALLOWED(sched_yield), ALLOWED(sched_getaffinity), ALLOWED(openat), ALLOWED(prlimit64), ALLOWED(getrandom),
    /* the recorder's */
    ALLOWED(fstat), ALLOWED(readlink), ALLOWED(readlinkat), ALLOWED(getsockname), ALLOWED(getpeername), ALLOWED(prctl), ALLOWED(timer_create),
    ALLOWED(timer_settime), ALLOWED(timer_delete), ALLOWED(getcpu),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static void enter(struct sock_filter *filter, size_t count, unsigned flags)
{
    struct sock_fprog program = { (unsigned short)count, filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)) {
        perror("seccomp");
        _exit(77);
    }
}

#define ENTER(filter, flags) enter(filter, sizeof filter / sizeof *filter, flags)

static void *compute(void *lock)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(lock);
        (void)!write(-1, "", 0);
        pthread_mutex_unlock(lock);
        free(malloc((size_t)i * 100));
        for (volatile int j = 0; j < 5000; j++)
            ;
        if (i % 500 == 0)
            poll(NULL, 0, 300);         /* long enough for a turn */
    }
    return NULL;
}

/* With a thread from before and one from after. */
static int sandbox(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t before, after;

    pthread_create(&before, NULL, compute, &lock);
    ENTER(itself, 0);
    pthread_create(&after, NULL, compute, &lock);
    compute(&lock);
    pthread_join(before, NULL);
    pthread_join(after, NULL);
    (void)!write(1, "computed\n", 9);
    return 15;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "itself") == 0)
        return sandbox();
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "usual") == 0)
        ENTER(usual, 0);
    else if (strcmp(argv[1], "shut") == 0)
        ENTER(shut, 0);
    else
        ENTER(poor, 0);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
