/* What these programs share: threads that keep the recorder busy, and what a case leaves behind, which must not differ either. */
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../tracer/wrap/cases.h"

static volatile bool busy_stop;
static pthread_t busy_threads[8];
static int busy_count;

/* Events of every kind, as fast as they come: locks, writes, blocks, waits. */
static inline void *be_busy(void *lock)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    for (unsigned i = 0; !busy_stop; i++) {
        pthread_mutex_lock(lock);
        (void)!write(null, "", 1);
        pthread_mutex_unlock(lock);
        free(malloc(i % 5000));
        if (i % 64 == 0)
            nanosleep(&(struct timespec){ 0, 1000 }, NULL);
    }
    close(null);
    return NULL;
}

static inline void start_busy(int count)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    busy_stop = false;
    for (busy_count = 0; busy_count < count; busy_count++)
        if (pthread_create(&busy_threads[busy_count], NULL, be_busy, &lock))
            abort();
}

static inline void stop_busy(void)
{
    busy_stop = true;
    while (busy_count)
        pthread_join(busy_threads[--busy_count], NULL);
}

static inline void in_thread(void *(*routine)(void *), void *argument)
{
    pthread_t t;

    if (pthread_create(&t, NULL, routine, argument))
        abort();
    pthread_join(t, NULL);
}

static inline void say(const char *what)
{
    dprintf(1, "%s\n", what);
}

static inline int status_of(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Descriptors, mask, dispositions and pending signals of who has run a case. */
static inline void tell_state(void)
{
    struct sigaction action;
    sigset_t blocked, pending;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    sigpending(&pending);
    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf("descriptor %d, flags %d\n", fd, fcntl(fd, F_GETFD));
    for (int no = 1; no <= 64; no++)
        if (sigaction(no, NULL, &action) == 0 &&
            (action.sa_handler != SIG_DFL || sigismember(&blocked, no) || sigismember(&pending, no)))
            printf("signal %d: handler %d, ignored %d, flags %x, blocked %d, pending %d\n", no,
                   action.sa_handler != SIG_DFL, action.sa_handler == SIG_IGN, (unsigned)action.sa_flags,
                   sigismember(&blocked, no), sigismember(&pending, no));
}

#define HARMLESS(...) \
    int main(int argc, char **argv) \
    { \
        static const struct test_case cases[] = { __VA_ARGS__ }; \
        int r = run_cases(argc, argv, cases, sizeof cases / sizeof *cases); \
        if (argc > 1) \
            tell_state(); \
        return r; \
    }
