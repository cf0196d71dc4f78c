/* Masks: what is blocked is what the program believes, for all that inherits it and for who waits. */
#include "harmless.h"

#include <spawn.h>
#include <stdint.h>

static char *look[] = { "grep", "SigBlk", "/proc/self/status", NULL };

static void *tell_blocked(void *unused)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    printf("a thread: SIGPROF %d, SIGUSR1 %d, SIGUSR2 %d\n", sigismember(&now, SIGPROF), sigismember(&now, SIGUSR1),
           sigismember(&now, SIGUSR2));
    return unused;
}

/* A thread whose attributes say what it has blocked. */
static void in_thread_with(int blocked)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, blocked);
    pthread_attr_init(&attr);
    pthread_attr_setsigmask_np(&attr, &set);
    pthread_create(&thread, &attr, tell_blocked, NULL);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
}

/* What children and threads find blocked, made in each way there is, and when an exec has failed before. */
static void make_children(const char *when)
{
    pid_t pid;
    FILE *pipe;
    char line[80];

    printf("%s\n", when);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(execv("/nowhere", look) + execv("/bin/grep", look));
    status_of(pid);
    pid = vfork();
    if (pid == 0)
        _exit(execv("/nowhere", look) + execv("/bin/grep", look));
    status_of(pid);
    execv("/nowhere", look);
    if (posix_spawn(&pid, "/bin/grep", NULL, NULL, look, environ) == 0)
        status_of(pid);
    if (posix_spawnp(&pid, "grep", NULL, NULL, look, environ) == 0)
        status_of(pid);
    (void)!system("grep SigBlk /proc/self/status");
    pipe = popen("grep SigBlk /proc/self/status", "r");
    printf("%s", pipe && fgets(line, sizeof line, pipe) ? line : "no pipe\n");
    pclose(pipe);
    tell_blocked(NULL);
    in_thread(tell_blocked, NULL);
    in_thread_with(SIGUSR2);
    in_thread_with(SIGPROF);
}

static void make_in_handler(int no)
{
    sigset_t prof;

    make_children(no == SIGUSR1 ? "in a handler" : "in a handler on a signal stack");
    sigemptyset(&prof);
    sigaddset(&prof, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &prof, NULL);
    make_children("where it blocks SIGPROF");
}

/* The mask is what the program believes it to be, for all that inherits it. */
static void inherited(void)
{
    struct sigaction action = { .sa_handler = make_in_handler };
    stack_t stack = { .ss_sp = malloc(1 << 18), .ss_size = 1 << 18 };
    sigset_t prof;

    unsetenv("LD_PRELOAD");             /* who looks is not to be recorded */
    sigemptyset(&prof);
    sigaddset(&prof, SIGPROF);
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
    make_children("nothing blocked");
    raise(SIGUSR1);
    tell_blocked(NULL);
    raise(SIGUSR2);
    tell_blocked(NULL);
    pthread_sigmask(SIG_BLOCK, &prof, NULL);
    make_children("SIGPROF blocked");
    raise(SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &prof, NULL);
    make_children("no more");
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

/* While a shell runs, its creator has the mask that it is to have: nobody says that a thread blocked a signal from the beginning. */
static void handed_on(void)
{
    sigset_t prof;

    sigemptyset(&prof);
    sigaddset(&prof, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &prof, NULL);
    printf("%d\n", system("sleep 3"));
    tell_blocked(NULL);
}

static int bit_of(int number)
{
    return 1 << (number - 1);
}

static void tell_word(const char *what, int word)
{
    printf("%s: SIGPROF %d, SIGUSR1 %d\n", what, !!(word & bit_of(SIGPROF)), !!(word & bit_of(SIGUSR1)));
    tell_blocked(NULL);
}

/* By functions of before sigprocmask(): what one of them blocks the others know.  Linkers warn of siggetmask(). */
static void of_old(void)
{
    sigset_t set;

    tell_word("at first", siggetmask());
    sigemptyset(&set);
    sigaddset(&set, SIGPROF);
    sigprocmask(SIG_BLOCK, &set, NULL);
    tell_word("blocked", sigblock(bit_of(SIGUSR1)));
    tell_word("more", sigsetmask(bit_of(SIGUSR2)));
    tell_word("others", sigsetmask(bit_of(SIGPROF)));
    printf("%d\n", sigrelse(SIGPROF));
    tell_word("let go", siggetmask());
    printf("%d\n", sighold(SIGPROF));
    tell_word("held", siggetmask());
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    tell_word("unblocked", siggetmask());
    errno = 0;
    tell_word("all", sigblock(-1));
    tell_word("none", sigsetmask(0));
    printf("%d\n", errno);
    printf("%d\n", sighold(1000));
    printf("%d\n", errno);
    printf("%d\n", sigrelse(0));
}

static const int taken[] = { SIGPROF, SIGVTALRM, SIGSTKFLT, SIGPWR, SIGUSR1 };
static sem_t asked;

static void *wait_for_signals(void *unused)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&set, taken[i]);
    for (int i = 0; i < 60; i++) {
        siginfo_t info = { .si_signo = 0 };
        int got = sigtimedwait(&set, &info, &(struct timespec){ 10, 0 });

        if (i % 12 < 2 || got < 0)
            printf("%d, code %d, by us %d, value %d\n", got, info.si_code, info.si_pid == getpid(), info.si_int);
        sem_post(&asked);
    }
    return unused;
}

static void *only_live(void *gate)
{
    sem_wait(gate);
    return NULL;
}

/* All threads block what is sent to the process, and one that is not the first takes it out, as servers do. */
static void waited(void)
{
    pthread_t waiter, others[4];
    sigset_t all;
    sem_t gate;

    sem_init(&asked, 0, 0);
    sem_init(&gate, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&others[i], NULL, only_live, &gate);
    pthread_create(&waiter, NULL, wait_for_signals, NULL);
    for (int i = 0; i < 60; i++) {
        int no = taken[i / 12];

        if (i % 2)
            sigqueue(getpid(), no, (union sigval){ .sival_int = i });
        else
            kill(getpid(), no);
        sem_wait(&asked);
    }
    for (int i = 0; i < 4; i++)
        sem_post(&gate);
    for (int i = 0; i < 4; i++)
        pthread_join(others[i], NULL);
    pthread_join(waiter, NULL);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

/* CPU time of this thread, in kernel and program. */
static void work_for(long ms)
{
    struct timespec t;

    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
}

/* Each signal is blocked by nobody's function; the thread uses CPU time and then takes out what is pending. */
static void taken_behind(void)
{
    uint64_t all = ~UINT64_C(0);
    sigset_t set;
    siginfo_t info;
    int got = 0, r;

    work_for(100);                      /* by now each thread has what samples it */
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8);
    sigfillset(&set);
    work_for(160);
    r = sigtimedwait(&set, &info, &(struct timespec){ 0, 50000000 });
    printf("%d, %d\n", r, errno);
    work_for(220);
    kill(getpid(), SIGUSR2);
    r = sigwaitinfo(&set, &info);
    printf("%d, code %d, by us %d\n", r, info.si_code, info.si_pid == getpid());
    work_for(280);
    sigqueue(getpid(), SIGPROF, (union sigval){ .sival_int = 5 });
    r = sigwait(&set, &got);
    printf("%d, %d\n", r, got);
    work_for(340);
    kill(getpid(), SIGUSR1);
    r = sigwaitinfo(&set, NULL);
    printf("%d\n", r);
}

HARMLESS({ "inherited", inherited }, { "handed-on", handed_on }, { "of-old", of_old }, { "waited", waited },
         { "taken-behind", taken_behind })
