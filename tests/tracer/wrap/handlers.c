/* Handlers of signals: each runs as it was installed, and is read back as it was given. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "cases.h"

static volatile int runs, last;
static char *page;

static void simple(int number)
{
    runs++;
    last = number;
    errno = EDOM;
}

static void other(int number)
{
    runs += 100;
    last = number;
}

static void detailed(int number, siginfo_t *info, void *context)
{
    runs += info->si_signo == number && info->si_code == SI_QUEUE ? info->si_value.sival_int : 0;
    last = ((ucontext_t *)context)->uc_stack.ss_size != 0;
}

static void show(const char *what)
{
    printf("%s: %d runs, last %d\n", what, runs, last);
}

static void read_back(void)
{
    struct sigaction act = { .sa_sigaction = detailed, .sa_flags = SA_SIGINFO | SA_RESTART }, old;
    union sigval value = { .sival_int = 7 };

    printf("%d\n", signal(SIGUSR1, simple) == SIG_DFL);
    printf("%d\n", signal(SIGUSR1, simple) == simple);
    sigaddset(&act.sa_mask, SIGUSR2);
    SHOW_ERRNO(sigaction(SIGUSR1, &act, &old));
    printf("%d %d\n", old.sa_handler == simple, (old.sa_flags & SA_RESTART) != 0);
    SHOW_ERRNO(sigaction(SIGUSR1, NULL, &old));
    printf("%d %d %d\n", old.sa_sigaction == detailed, (old.sa_flags & ~0x04000000) == act.sa_flags, sigismember(&old.sa_mask, SIGUSR2));
    printf("%d\n", act.sa_sigaction == detailed);
    SHOW_ERRNO(sigqueue(getpid(), SIGUSR1, value));
    show("queued");
    SHOW_ERRNO(sigaction(SIGUSR1, &old, NULL));
    sigqueue(getpid(), SIGUSR1, value);
    show("queued again");
    printf("%d\n", sigset(SIGUSR1, simple) == (sighandler_t)(void *)detailed);
    SHOW_ERRNO(raise(SIGUSR1));
    show("raised");
    printf("%d\n", sysv_signal(SIGUSR1, other) == simple);
    raise(SIGUSR1);
    show("once");
    printf("%d\n", signal(SIGUSR1, SIG_IGN) == SIG_DFL);
    raise(SIGUSR1);
    printf("%d\n", ssignal(SIGUSR1, simple) == SIG_IGN);
    printf("%d %d\n", signal(SIGKILL, simple) == SIG_ERR, errno == EINVAL);
    printf("%d\n", signal(1000, simple) == SIG_ERR);
    SHOW_ERRNO(sigaction(SIGSTOP, &act, NULL));
}

#define EIGHT(F, n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7)
#define MANY(F) EIGHT(F, 0) EIGHT(F, 1) EIGHT(F, 2) EIGHT(F, 3) EIGHT(F, 4) EIGHT(F, 5) EIGHT(F, 6) EIGHT(F, 7) EIGHT(F, 10)
#define HANDLER(n) static void handler_##n(int number) { runs += number == SIGUSR1; last = 0##n; }
MANY(HANDLER)

/* More than anybody would have. */
static void many(void)
{
    static const sighandler_t all[] = {
#define NAME(n) handler_##n,
        MANY(NAME)
    };
    enum { COUNT = sizeof all / sizeof *all };
    int wrong = 0;

    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < COUNT; i++) {
            sighandler_t before = signal(SIGUSR1, all[i]);

            wrong += turn + i > 0 && before != all[(i + COUNT - 1) % COUNT];
            raise(SIGUSR1);
            wrong += last != i;
        }
    printf("%d runs, %d wrong\n", runs, wrong);
}

static void mend(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    runs++;
    mprotect((void *)((uintptr_t)info->si_addr & ~(uintptr_t)4095), 4096, PROT_READ | PROT_WRITE);
}

static char *top;
static volatile size_t used;

static void measure(int number)
{
    used = (size_t)(top - (char *)&number);
}

/* On a stack that the kernel's own frame leaves next to nothing of: what lies below stays as it was. */
static void small_stack(void)
{
    static char memory[65536] __attribute__((aligned(4096)));
    stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
    struct sigaction act = { .sa_handler = measure, .sa_flags = SA_ONSTACK };
    enum { LEAST = 2048 };              /* the kernel takes none that is smaller, however small its frames are on this CPU */
    size_t untouched = 0, size;

    top = memory + sizeof memory;
    sigaltstack(&stack, NULL);
    sigaction(SIGTRAP, &act, NULL);     /* of which nothing is recorded */
    raise(SIGTRAP);
    size = used + 96 < LEAST ? LEAST : used + 96;
    stack = (stack_t){ .ss_sp = top - size, .ss_size = size };
    SHOW_ERRNO(sigaltstack(&stack, NULL));
    memset(memory, 'x', sizeof memory);
    act.sa_handler = simple;
    sigaction(SIGUSR1, &act, NULL);
    for (int i = 0; i < 100; i++)
        raise(SIGUSR1);
    show("small");
    while (memory + untouched < (char *)stack.ss_sp && memory[untouched] == 'x')
        untouched++;
    printf("%d\n", memory + untouched == (char *)stack.ss_sp);
}

static volatile int masks[4];

/* Long enough for a tick, had it been let in; and what is blocked is what the program has blocked. */
static void spend(int number)
{
    struct timespec from, now;
    sigset_t mask;

    (void)number;
    runs++;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 25000000);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    masks[0] += sigismember(&mask, SIGPROF);
    masks[1] += sigismember(&mask, SIGUSR1);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    masks[2] += sigismember(&mask, SIGPROF);
    masks[3] += sigismember(&mask, SIGUSR2);
}

static void busy_on_small_stack(void)
{
    static char memory[65536] __attribute__((aligned(4096)));
    stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
    struct sigaction act = { .sa_handler = measure, .sa_flags = SA_ONSTACK }, old;
    sigset_t mask;

    top = memory + sizeof memory;
    sigaltstack(&stack, NULL);
    sigaction(SIGTRAP, &act, NULL);
    raise(SIGTRAP);
    stack = (stack_t){ .ss_sp = top - used - 3000, .ss_size = used + 3000 };
    sigaltstack(&stack, NULL);
    act.sa_handler = spend;
    sigaction(SIGUSR1, &act, NULL);
    for (int i = 0; i < 4; i++)
        raise(SIGUSR1);
    printf("%d runs, masks %d %d %d %d\n", runs, masks[0], masks[1], masks[2], masks[3]);
    sigaction(SIGUSR1, NULL, &old);
    printf("read back: %d %d %d\n", old.sa_handler == spend, (old.sa_flags & SA_ONSTACK) != 0, sigismember(&old.sa_mask, SIGPROF));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("after: %d %d %d\n", sigismember(&mask, SIGPROF), sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
}

static void faults(void)
{
    struct sigaction act = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };

    page = mmap(NULL, 4096 * 10, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &act, NULL);
    for (int i = 0; i < 10; i++)
        page[4096 * i] = 1;
    show("mended");
}

static sigjmp_buf out;

static void leave(int number)
{
    siglongjmp(out, number);
}

/* By a jump, by another signal that interrupts it, in a child. */
static void ways(void)
{
    struct sigaction act = { .sa_handler = simple, .sa_flags = SA_NODEFER };
    int status;
    pid_t child;

    signal(SIGUSR1, leave);
    for (volatile int i = 0; i < 100; i++)
        if (sigsetjmp(out, 1) == 0)
            raise(SIGUSR1);
    sigaction(SIGUSR1, &act, NULL);
    errno = ENOENT;
    raise(SIGUSR1);
    printf("%d\n", errno == EDOM);
    show("ways");
    child = vfork();
    if (child == 0) {
        signal(SIGUSR1, other);
        _exit(0);
    }
    waitpid(child, &status, 0);
    raise(SIGUSR1);
    show("after vfork");
    child = fork();
    if (child == 0) {
        raise(SIGUSR1);
        _exit(runs);
    }
    waitpid(child, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
}

CASES({ "read-back", read_back }, { "many", many }, { "small-stack", small_stack }, { "busy-on-small-stack", busy_on_small_stack },
      { "faults", faults }, { "ways", ways })
