/*
 * Counts instructions of a user program without a performance counter, by stepping through it.
 *
 *   bench-steps PROGRAM ARGUMENT...     steps between the marks of bench.h; prints `NAME.instructions VALUE instructions`
 *   bench-steps -p TID [-m MODULE] COMMAND...
 *                                       steps through a thread that waits in the system call of its event loop, while
 *                                       COMMAND runs; prints the median of the instructions from one return to the next,
 *                                       and how many of these are in files whose path holds MODULE
 *
 * A system call counts as one instruction, whatever the kernel does in it.
 */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "bench-steps: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Is this stop one of our marks?  A step over a breakpoint reports the breakpoint. */
static bool is_mark(pid_t pid, char name[64], uint64_t *n)
{
    struct user_regs_struct regs;
    siginfo_t info;
    struct iovec to = { name, 63 }, from;

    if (ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) < 0 || info.si_signo != SIGTRAP || info.si_code != SI_KERNEL)
        return false;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 || regs.rax != BENCH_STEPS_MAGIC)
        return false;
    memset(name, 0, 64);
    *n = regs.rsi;
    from = (struct iovec){ (void *)regs.rdi, 63 };
    if (regs.rdi && process_vm_readv(pid, &to, 1, &from, 1, 0) < 0)
        die("reading a name");
    return true;
}

/* Runs the stopped `pid` by `request` until something other than a single step is reported. */
static int go_on(pid_t pid, int request, int signal)
{
    int status;

    if (ptrace(request, pid, NULL, signal) < 0 || waitpid(pid, &status, __WALL) < 0)
        die("ptrace");
    return status;
}

/* A signal to be passed on, 0 for those that are ours. */
static int pass_on(int status)
{
    int signal = WSTOPSIG(status);

    return signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

static int run_marked(char **argv)
{
    pid_t pid = fork();
    double empty = -1;
    int status;

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        setenv("BENCH_STEPS", "1", 1);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[0], argv);
        die(argv[0]);
    }
    waitpid(pid, &status, __WALL);
    while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
        char name[64], end[64];
        uint64_t n, steps = 0, zero;

        if (!is_mark(pid, name, &n)) {
            status = go_on(pid, PTRACE_CONT, pass_on(status));
            continue;
        }
        do {
            status = go_on(pid, PTRACE_SINGLESTEP, steps ? pass_on(status) : 0);
            steps++;
        } while (WIFSTOPPED(status) && !is_mark(pid, end, &zero));
        if (!WIFSTOPPED(status))
            break;
        if (empty < 0)
            empty = (double)steps / (double)n;
        else
            printf("%s.instructions %.4g instructions\n", name, (double)steps / (double)n - empty);
        status = go_on(pid, PTRACE_CONT, 0);
    }
    if (WIFSIGNALED(status))
        fprintf(stderr, "bench-steps: %s died of signal %d\n", argv[0], WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Waits until `tid` stops; false when `command` has ended before that. */
static bool stopped_before(pid_t tid, pid_t command, int *result)
{
    siginfo_t info = { 0 };
    int status;

    while (waitid(P_PID, (id_t)tid, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && !info.si_pid)
        if (waitpid(command, result, WNOHANG) == command)
            return false;
    if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
        die("the thread ended");
    return true;
}

static int compare_counts(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The addresses of a module, from its first page to its last. */
struct range { uint64_t from, to; };

static struct range find_module(pid_t tid, const char *module)
{
    struct range found = { UINT64_MAX, 0 };
    char path[64], line[512];
    FILE *maps;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)tid);
    maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long long from, to;

        if (!strstr(line, module) || sscanf(line, "%llx-%llx", &from, &to) != 2)
            continue;
        found.from = from < found.from ? from : found.from;
        found.to = to > found.to ? to : found.to;
    }
    if (maps)
        fclose(maps);
    if (!found.to)
        die(module);
    return found;
}

static uint64_t median(uint64_t *counts, uint64_t n)
{
    qsort(counts, n, sizeof(*counts), compare_counts);
    return counts[n / 2];
}

static int run_beside(pid_t tid, const char *module, char **argv)
{
    static uint64_t counts[1 << 16], inside[1 << 16];
    const size_t rip = offsetof(struct user_regs_struct, rip);
    struct range range = module ? find_module(tid, module) : (struct range){ 0, 0 };
    uint64_t turns = 0, steps = 0, steps_inside = 0;
    long home;
    int status, result = 0;
    pid_t command;

    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
        die("attaching");
    waitpid(tid, &status, __WALL);
    home = ptrace(PTRACE_PEEKUSER, tid, rip, NULL);     /* where its system call returns to */
    command = fork();
    if (command == 0) {
        execvp(argv[0], argv);
        die(argv[0]);
    }
    do {
        long at = ptrace(PTRACE_PEEKUSER, tid, rip, NULL);

        if (at == home) {
            if (turns < sizeof(counts) / sizeof(*counts)) {
                counts[turns] = steps;
                inside[turns++] = steps_inside;
            }
            steps = steps_inside = 0;
        }
        steps++;
        steps_inside += (uint64_t)at - range.from < range.to - range.from;
        if (ptrace(PTRACE_SINGLESTEP, tid, NULL, 0) < 0)
            die("stepping");
    } while (stopped_before(tid, command, &result));
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    waitpid(tid, &status, __WALL);
    ptrace(PTRACE_DETACH, tid, NULL, NULL);
    if (turns < 2)
        die("the thread did not come back to where it was");
    printf("%llu", (unsigned long long)median(counts, turns));
    if (module)
        printf(" %llu", (unsigned long long)median(inside, turns));
    printf("\n");
    return WIFEXITED(result) ? WEXITSTATUS(result) : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 6 && strcmp(argv[1], "-p") == 0 && strcmp(argv[3], "-m") == 0)
        return run_beside(atoi(argv[2]), argv[4], argv + 5);
    if (argc >= 4 && strcmp(argv[1], "-p") == 0)
        return run_beside(atoi(argv[2]), NULL, argv + 3);
    if (argc >= 2)
        return run_marked(argv + 1);
    fprintf(stderr, "usage: bench-steps [-p TID [-m MODULE]] COMMAND...\n");
    return 2;
}
