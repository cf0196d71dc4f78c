/*
 * seccomp HOW PROGRAM [ARGUMENT...]: runs a program behind a filter of system calls; or puts itself behind one and works.
 *
 *   usual    what a container's runtime does to calls that would look at other processes, or at the kernel
 *   shut     the same, and descriptors cannot be had to oneself
 *   poor     an old kernel: no membarrier, no rseq, no clone3, no close_range, no memfd, no statx, no pidfd
 *   itself   a sandbox of its own: what kills the process for any call but those that it makes itself, alone
 *   all      the same, for threads that are there already as well
 *   strict   read, write, exit and sigreturn, of one thread; strict-first: of the only one there is
 *   killed   one for which only the thread dies that breaks it, which is the only one
 *   forks    a sandbox in which children are forked, one of which executes this program anew
 *   tried    filters that the kernel refuses change nothing
 */
#include "harmless.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

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
    REFUSED(timer_create, ENOSYS), REFUSED(pidfd_open, ENOSYS), REFUSED(pidfd_getfd, ENOSYS), REFUSED(faccessat2, ENOSYS), REFUSED(epoll_pwait2, ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* What `compute`, threads and the end of a process take, without us. */
#define OWN \
    NUMBER, ALLOWED(read), ALLOWED(write), ALLOWED(futex), ALLOWED(mmap), ALLOWED(munmap), ALLOWED(mprotect), ALLOWED(brk), \
    ALLOWED(madvise), ALLOWED(poll), ALLOWED(rt_sigprocmask), ALLOWED(clone), ALLOWED(clone3), ALLOWED(set_robust_list), \
    ALLOWED(rseq), ALLOWED(exit), ALLOWED(exit_group), ALLOWED(restart_syscall)
#define OR_DIE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static struct sock_filter itself[] = { OWN, OR_DIE };

/* And what a child takes that executes a program, which the loader has to load. */
static struct sock_filter forks[] = {
    OWN, ALLOWED(wait4), ALLOWED(execve), ALLOWED(access), ALLOWED(arch_prctl), ALLOWED(set_tid_address), ALLOWED(prlimit64),
    ALLOWED(openat), ALLOWED(newfstatat), ALLOWED(pread64), ALLOWED(close), ALLOWED(getrandom), OR_DIE,
};

static struct sock_filter no_uname[] = {
    NUMBER, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
    ALLOWED(write), ALLOWED(futex), ALLOWED(mmap), ALLOWED(munmap), ALLOWED(brk), ALLOWED(poll), OR_DIE,
};

static struct sock_filter malformed[] = {
    NUMBER, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 5, 5), OR_DIE,
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

static void tell(const char *text)
{
    (void)!write(1, text, strlen(text));
}

static int rest_ms = 5;

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
            poll(NULL, 0, rest_ms);
    }
    return NULL;
}

/* With a thread from before and one from after. */
static int sandbox(unsigned flags)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t before, after;

    rest_ms = flags ? 50 : 300;         /* all together: long enough for a turn */
    pthread_create(&before, NULL, compute, &lock);
    ENTER(itself, flags);
    pthread_create(&after, NULL, compute, &lock);
    compute(&lock);
    pthread_join(before, NULL);
    pthread_join(after, NULL);
    tell("computed\n");
    return 15;
}

/* poll() would kill, and so would a lock that somebody else has, or the end of a process. */
static void *compute_strictly(void *lock)
{
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0)) {
        perror("prctl");
        _exit(77);
    }
    for (int i = 0; i < 200000; i++) {
        pthread_mutex_lock(lock);
        pthread_mutex_unlock(lock);
        if (i % 1000 == 0)
            (void)!write(-1, "", 0);
    }
    tell("strictly\n");
    syscall(SYS_exit, 15);
    return NULL;
}

static int strict(void)
{
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;

    pthread_create(&thread, NULL, compute_strictly, &own);
    compute(&other);
    pthread_join(thread, NULL);
    tell("and others\n");
    return 15;
}

static int killed(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    ENTER(no_uname, 0);
    compute(&lock);
    tell("breaks it\n");
    syscall(SYS_uname, NULL);
    tell("lives\n");
    return 15;
}

static int wait_for(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0)
        ;
    return status;
}

static int forking(char **argv)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char *again[] = { argv[0], (char *)"plain", NULL };
    pid_t child;

    ENTER(forks, 0);
    child = fork();
    if (child == 0) {
        compute(&lock);
        tell("child computed\n");
        _exit(3);
    }
    tell(wait_for(child) == 3 << 8 ? "child ended well\n" : "child ended otherwise\n");
    child = fork();
    if (child == 0) {
        execv(argv[0], again);
        _exit(4);
    }
    tell(wait_for(child) == 5 << 8 ? "program ended well\n" : "program ended otherwise\n");
    compute(&lock);
    return 15;
}

/* What a filter that is refused would have forbidden goes on, also in the recorder. */
static int tried(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct sock_fprog wrong = { sizeof malformed / sizeof *malformed, malformed };
    struct sock_fprog nowhere = { 4, (struct sock_filter *)8 };
    char name[16] = { 0 };
    pthread_t thread;

    for (int i = 0; i < 2; i++) {
        tell(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) ? strerrorname_np(errno) : "done");
        tell(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &nowhere) ? strerrorname_np(errno) : "done");
        tell(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &wrong) ? strerrorname_np(errno) : "done");
        tell(syscall(SYS_prctl, PR_SET_SECCOMP, 17, &wrong) ? strerrorname_np(errno) : "done");
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
    syscall(SYS_prctl, PR_SET_NAME, "by-number", 0, 0, 0);
    prctl(PR_GET_NAME, name);
    tell(name);
    pthread_create(&thread, NULL, compute, &lock);
    compute(&lock);
    pthread_join(thread, NULL);
    tell(system("exit 7") == 7 << 8 ? "\nran\n" : "\nran otherwise\n");
    return 15;
}

/* Those that go behind a filter in a process of their own. */
static int alone(char **argv)
{
    const char *how = argv[1];

    if (strcmp(how, "itself") == 0)
        return sandbox(0);
    if (strcmp(how, "all") == 0)
        return sandbox(SECCOMP_FILTER_FLAG_TSYNC);
    if (strcmp(how, "strict") == 0)
        return strict();
    if (strcmp(how, "strict-first") == 0)
        compute_strictly(&(pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER);
    if (strcmp(how, "killed") == 0)
        return killed();
    if (strcmp(how, "forks") == 0)
        return forking(argv);
    if (strcmp(how, "tried") == 0)
        return tried();
    if (strcmp(how, "plain") == 0) {
        compute(&(pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER);
        return 5;
    }
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return alone(argv);
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
