/* Waits left by other ways than returning: cancellation in each, siglongjmp(), handlers that wait themselves. */
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "cases.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int empty_pipe[2], full_pipe[2], pair[2], listener, poller;
static pthread_t sleeper;
static char byte, many[65536 * 2];

static void do_cond(void)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&cond, &mutex);
}

static void do_cond_timed(void)
{
    struct timespec t = in_ms(CLOCK_REALTIME, 60000);

    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&cond, &mutex, &t);
}

static void do_sem(void) { sem_wait(&sem); }

static void do_sem_timed(void)
{
    struct timespec t = in_ms(CLOCK_REALTIME, 60000);

    sem_timedwait(&sem, &t);
}

static void do_join(void) { pthread_join(sleeper, NULL); }
static void do_nanosleep(void) { nanosleep(&(struct timespec){ 60, 0 }, NULL); }
static void do_clock_nanosleep(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 60, 0 }, NULL); }
static void do_sleep(void) { sleep(60); }
static void do_usleep(void) { usleep(60000000); }
static void do_read(void) { (void)!read(empty_pipe[0], &byte, 1); }
static void do_readv(void) { readv(empty_pipe[0], &(struct iovec){ &byte, 1 }, 1); }
static void do_write(void) { (void)!write(full_pipe[1], many, sizeof many); }
static void do_recv(void) { recv(pair[0], &byte, 1, 0); }
static void do_recvmsg(void) { recvmsg(pair[0], &(struct msghdr){ 0 }, 0); }
static void do_accept(void) { accept(listener, NULL, NULL); }
static void do_poll(void) { poll(&(struct pollfd){ empty_pipe[0], POLLIN, 0 }, 1, 60000); }
static void do_epoll(void) { epoll_wait(poller, &(struct epoll_event){ 0 }, 1, 60000); }

static void do_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(empty_pipe[0], &set);
    select(empty_pipe[0] + 1, &set, NULL, NULL, NULL);
}

static const struct { const char *name; void (*run)(void); } waits[] = {
    { "cond_wait", do_cond }, { "cond_timedwait", do_cond_timed }, { "sem_wait", do_sem }, { "sem_timedwait", do_sem_timed },
    { "join", do_join }, { "nanosleep", do_nanosleep }, { "clock_nanosleep", do_clock_nanosleep }, { "sleep", do_sleep },
    { "usleep", do_usleep }, { "read", do_read }, { "readv", do_readv }, { "write", do_write }, { "recv", do_recv },
    { "recvmsg", do_recvmsg }, { "accept", do_accept }, { "poll", do_poll }, { "epoll_wait", do_epoll },
    { "select", do_select },
};

static void *sleep_long(void *unused)
{
    pause_ms(600000);
    return NULL;
}

/* The alarm is for the main thread. */
static void prepare(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sem_init(&sem, 0, 0);
    if (pipe(empty_pipe) || pipe(full_pipe) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        abort();
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&a, sizeof(sa_family_t));
    listen(listener, 1);
    poller = epoll_create1(0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&sleeper, NULL, sleep_long, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Runs while the thread is unwound: waits of its own must work. */
static void clean_up(void *name)
{
    int owner = pthread_mutex_trylock(&mutex) == EBUSY;

    printf("%s: cleaned up%s\n", (const char *)name, owner ? ", mutex held" : "");
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&other);
    (void)!write(pair[1], "", 0);
    pthread_mutex_unlock(&other);
    free(malloc(100));
}

static void *wait_for_ever(void *i)
{
    pthread_cleanup_push(clean_up, (void *)waits[(size_t)i].name);
    waits[(size_t)i].run();
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel(void)
{
    prepare();
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        pthread_t t;
        void *result;

        pthread_create(&t, NULL, wait_for_ever, (void *)i);
        pause_ms(20);
        pthread_mutex_lock(&other);
        pthread_cancel(t);
        pause_ms(5);
        pthread_mutex_unlock(&other);
        pthread_join(t, &result);
        printf("%s: %s\n", waits[i].name, result == PTHREAD_CANCELED ? "cancelled" : "ended");
    }
}

/* A cancellation that is pending acts at once, whether the call would block or not. */
static void *wait_pending(void *unused)
{
    pthread_cancel(pthread_self());
    sem_wait(&sem);
    puts("not cancelled");
    return NULL;
}

static void cancel_pending(void)
{
    pthread_t t;
    void *result;
    int value;

    sem_init(&sem, 0, 1);
    pthread_create(&t, NULL, wait_pending, NULL);
    pthread_join(t, &result);
    sem_getvalue(&sem, &value);
    printf("%s, value %d\n", result == PTHREAD_CANCELED ? "cancelled" : "ended", value);
}

static void *cancel_hard(void *unused)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    nanosleep(&(struct timespec){ 60, 0 }, NULL);
    return NULL;
}

static void cancel_asynchronous(void)
{
    pthread_t t;
    void *result;

    pthread_create(&t, NULL, cancel_hard, NULL);
    pause_ms(20);
    pthread_cancel(t);
    pthread_join(t, &result);
    puts(result == PTHREAD_CANCELED ? "cancelled" : "ended");
}

static sigjmp_buf out;

static void jump(int no)
{
    siglongjmp(out, 1);
}

static void alarm_after(struct itimerspec when)
{
    static timer_t timer;
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

    if (!timer)
        timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &when, NULL);
}

static void alarm_in_ms(int ms)
{
    alarm_after((struct itimerspec){ .it_value = { 0, ms * 1000000 } });
}

/* Left and entered again at the same place, and from deeper down. */
static void jump_out(void)
{
    static const size_t which[] = { 2, 5, 8, 9, 12, 15, 17 };
    volatile unsigned jumps = 0;

    prepare();
    signal(SIGALRM, jump);
    for (volatile unsigned round = 0; round < 5; round++) {
        for (volatile size_t i = 0; i < sizeof which / sizeof *which; i++) {
            if (sigsetjmp(out, 1) == 0) {
                alarm_in_ms(15);        /* the thread has come to wait, on a busy machine too */
                waits[which[i]].run();
            } else {
                jumps++;
            }
        }
    }
    printf("jumps %u\n", jumps);
    sem_post(&sem);
    SHOW_ERRNO(sem_wait(&sem));
    pause_ms(3);
}

/* Left at any moment, in the middle of writing an event or of unwinding: what comes later is recorded as ever. */
static void jump_storm(void)
{
    volatile unsigned jumps = 0;

    prepare();
    signal(SIGALRM, jump);
    while (jumps < 1000) {
        if (sigsetjmp(out, 1) == 0) {
            struct itimerspec when = { .it_value = { 0, 20000 + jumps % 97 * 1000 } };

            alarm_after(when);
            for (;;) {
                nanosleep(&(struct timespec){ 0, 1 }, NULL);
                (void)!write(empty_pipe[1], "", 0);
            }
        } else {
            jumps++;
        }
    }
    for (int i = 0; i < 10; i++)
        nanosleep(&(struct timespec){ 0, 777 }, NULL);
    puts("landed");
}

static volatile unsigned long steps;

static void step(int no)
{
    if (--steps == 0)
        siglongjmp(out, 1);
}

/* With `trap` SIGTRAP comes after each instruction. */
static __attribute__((noinline)) void step_through(unsigned long trap)
{
#if defined(__x86_64__)
    asm volatile("lea -128(%%rsp), %%rsp; pushfq; orq %0, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : "r"(trap) : "memory", "cc");
#endif
    nanosleep(&(struct timespec){ 0, 1 }, NULL);
#if defined(__x86_64__)
    asm volatile("lea -128(%%rsp), %%rsp; pushfq; andl $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "memory", "cc");
#endif
}

/* Both walks have one caller, so what the second is left in is a wait whose stack is known. */
static bool leave_known(unsigned long n)
{
    for (volatile int trap = 0; trap <= 0x100; trap += 0x100) {
        if (sigsetjmp(out, 1) != 0)
            return false;
        steps = n;
        step_through(trap);
    }
    return true;
}

/* Nobody came from here all the way before: what it is left in is mostly the taking of its stack. */
static bool leave_new(unsigned long n)
{
    step_through(0);
    if (sigsetjmp(out, 1) != 0)
        return false;
    steps = n;
    step_through(0x100);
    return true;
}

struct leaving {
    bool (*once)(unsigned long n);      /* true: it came through */
    unsigned long stride;
    void (*handler)(int no);            /* NULL: step */
};

static void *leave_at_each(void *argument)
{
    const struct leaving *leaving = argument;
    unsigned long n = 1;

    while (n < 100000 && !leaving->once(n))
        n += leaving->stride;
    nanosleep(&(struct timespec){ 0, 777 }, NULL);
    if (n >= 100000)
        puts("never through");
    return NULL;
}

static void leave_at_steps(struct leaving leaving)
{
    pthread_t t;

    signal(SIGTRAP, leaving.handler ? leaving.handler : step);
    pthread_create(&t, NULL, leave_at_each, &leaving);
    pthread_join(t, NULL);
    puts("landed");
}

/* What the handler writes before it leaves fills the slice that the wait's event is in, and one more. */
static void step_far(int no)
{
    if (--steps != 0)
        return;
    for (int i = 0; i < 1500; i++)
        (void)!write(-1, "", 0);
    siglongjmp(out, 1);
}

/* What the handler waits before it leaves is told as the wait is, and at the time of what is told right before it. */
static void step_and_wait(int no)
{
    if (--steps != 0)
        return;
    move_on();                          /* tells of the CPU first */
    nanosleep(&(struct timespec){ 0, 3 }, NULL);
    siglongjmp(out, 1);
}

/* Left in a wait, and left again in the next call, which is about to tell that the wait was left. */
static bool leave_twice(unsigned long n)
{
    if (leave_known(n))
        return true;
    if (sigsetjmp(out, 1) == 0) {
        steps = n * 31 % 600 + 1;
        step_through(0x100);
    }
    (void)!write(-1, "", 0);
    return false;
}

#define AT_STEPS(name, ...) static void name(void) { leave_at_steps((struct leaving){ __VA_ARGS__ }); }

/* Left at each instruction of a wait, one after the other: each wait that is told of ends. */
AT_STEPS(jump_steps, leave_known, 1)
/* The way is three times as long, and the time that takes is its square. */
AT_STEPS(jump_steps_new, leave_new, 11)
AT_STEPS(jump_steps_new_long, leave_new, 1)
AT_STEPS(jump_steps_far_long, leave_known, 1, step_far)
AT_STEPS(jump_steps_waiting, leave_known, 11, step_and_wait)
AT_STEPS(jump_steps_twice, leave_twice, 7)
AT_STEPS(jump_steps_twice_long, leave_twice, 1)

static volatile int handled;

static void wait_in_handler(int no)
{
    int saved = errno;

    nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    (void)!write(pair[1], "x", 1);
    (void)!read(pair[0], &byte, 1);
    sem_post(&sem);
    sem_wait(&sem);
    handled++;
    errno = saved;
}

static void handler_case(int flags)
{
    struct sigaction action = { .sa_handler = wait_in_handler, .sa_flags = flags };
    pthread_t t = pthread_self();

    prepare();
    pthread_kill(t, 0);
    sigaction(SIGALRM, &action, NULL);
    alarm_in_ms(100);                   /* the thread has come to wait, on a busy machine too */
    SHOW_ERRNO(nanosleep(&(struct timespec){ 30, 0 }, NULL));
    alarm_in_ms(100);
    SHOW_ERRNO(poll(NULL, 0, 30000));
    alarm_in_ms(100);
    struct timespec until = in_ms(CLOCK_REALTIME, 30000);
    SHOW_ERRNO(sem_timedwait(&sem, &until));
    printf("handled %d\n", handled);
}

static void handler(void)
{
    handler_case(SA_RESTART);
}

static void handler_on_own_stack(void)
{
    static char low[65536];
    stack_t stack = { .ss_sp = low, .ss_size = sizeof low };

    sigaltstack(&stack, NULL);
    handler_case(SA_ONSTACK);
}

/* The same in a thread, whose stack lies below that of its handler, and which alone takes the signal. */
static void *handler_thread(void *stack)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaltstack(stack, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    handler_case(SA_ONSTACK);
    return NULL;
}

static void handler_above(void)
{
    char memory[65536];                 /* on the main thread's stack, which is above all */
    stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
    sigset_t set;
    pthread_t t;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&t, NULL, handler_thread, &stack);
    pthread_join(t, NULL);
}

CASES({ "cancel", cancel }, { "cancel-pending", cancel_pending }, { "cancel-asynchronous", cancel_asynchronous },
      { "jump-out", jump_out }, { "jump-storm", jump_storm }, { "jump-steps", jump_steps }, { "jump-steps-new", jump_steps_new },
      { "jump-steps-new-long", jump_steps_new_long }, { "jump-steps-far-long", jump_steps_far_long },
      { "jump-steps-waiting", jump_steps_waiting }, { "jump-steps-twice", jump_steps_twice },
      { "jump-steps-twice-long", jump_steps_twice_long },
      { "handler", handler }, { "handler-on-own-stack", handler_on_own_stack }, { "handler-above", handler_above })
