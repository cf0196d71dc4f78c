/* Processes: children that are made, and programs that take this one's place. */
#include <alloca.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/emit.h"
#include "record/intern.h"
#include "record/session.h"
#include "record/tap.h"
#include "wrap/called.h"
#include "wrap/real.h"
#include "wrap/wait.h"

/*
 * A child begins to be recorded with its first event.  Becoming another program or ending is none that would be worth
 * an arena: of children that do nothing else only their parent's FORK is told.
 *
 * vfork() has no wrapper: its child would return through our frame and leave the parent's stack in ruins.  _Fork() and
 * clone() children find the gate wiped.
 */

static void emit_fork(uint64_t start, int64_t result)
{
    uint64_t now;

    if (!ct_recording(CT_CAT_process))
        return;
    now = ct_clock_now();
    EMIT(FORK, .time = now, .dur = now - start, .result = result, .at = ct_stack_here());
}

static void forked(bool is_child, sigset_t *signals, bool told)
{
    if (is_child) {
        ct_session_forked_child();
        ct_wait_forked_child();
        ct_tap_fork_child(signals, told);
    } else if (told) {
        ct_tap_fork_parent(signals);
    }
}

static pid_t told_fork(void)
{
    uint64_t start = ct_clock_now();
    sigset_t signals;
    bool told = ct_tap_fork_begins(&signals);
    pid_t pid = ct_real.fork();
    int error = errno;

    forked(pid == 0, &signals, told);
    if (pid != 0)
        emit_fork(start, pid < 0 ? -error : pid);
    errno = error;
    return pid;
}

CT_WRAPPER pid_t fork(void)
{
    return ct_gate_has_tls() ? told_fork() : ct_real.fork();
}

/* libc forks inside.  Who comes back is the child, also with an error, unless there is none: the parent has ended in there. */
CT_WRAPPER int daemon(int nochdir, int noclose)
{
    pid_t before = getpid();
    sigset_t signals;
    bool told = ct_tap_fork_begins(&signals);
    int r = ct_real.daemon(nochdir, noclose);
    int error = errno;

    forked(getpid() != before, &signals, told);
    errno = error;
    return r;
}

CT_WRAPPER int forkpty(int *terminal, char *name, const struct termios *settings, const struct winsize *size)
{
    uint64_t start = ct_clock_now();
    sigset_t signals;
    bool told = ct_tap_fork_begins(&signals);
    int pid = ct_real.forkpty(terminal, name, settings, size);
    int error = errno;

    forked(pid == 0, &signals, told);
    if (pid != 0)
        emit_fork(start, pid < 0 ? -error : pid);
    errno = error;
    return pid;
}

/* The child's number is ours to know even when the program does not ask. */
CT_WRAPPER int posix_spawn(pid_t *restrict pid, const char *restrict path,
                           const posix_spawn_file_actions_t *restrict actions, const posix_spawnattr_t *restrict attr,
                           char *const argv[restrict], char *const envp[restrict])
{
    uint64_t start = ct_clock_now();
    pid_t child = 0;
    int r = CT_WITH_MASK(ct_real.posix_spawn(&child, path, actions, attr, argv, envp));

    if (r == 0 && pid)
        *pid = child;
    emit_fork(start, r ? -r : child);
    return r;
}

CT_WRAPPER int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    uint64_t start = ct_clock_now();
    pid_t child = 0;
    int r = CT_WITH_MASK(ct_real.posix_spawnp(&child, file, actions, attr, argv, envp));

    if (r == 0 && pid)
        *pid = child;
    emit_fork(start, r ? -r : child);
    return r;
}

/* The child is libc's own, and so is its number. */
FILE *ct_seen_popen(const char *command, const char *mode)
{
    FILE *pipe = CT_CALLED(popen, -1, CT_WITH_MASK(ct_real.popen(command, mode)),
                           ct_called_child(CT_CALL_popen, -1, ct_start, ct_result ? fileno(ct_result) : -(int64_t)errno));

    if (pipe)
        ct_fd_forget(fileno(pipe));
    return pipe;
}

/* The path may be a bad pointer, which only the call itself finds out: nothing is read that is not mapped for sure. */
static bool announce(const char *path)
{
    bool own = ct_session_is_owner();       /* else it is a vfork() child, whose session is its parent's, or one that was just forked */

    if (own && ct_recording(CT_CAT_process))
        EMIT(EXEC, .path = ct_options.paths && path ? ct_string_of(path, strnlen(path, CT_STRING_MAX)) : CT_STRING_NONE,
             .at = ct_stack_here());
    ct_session_before_exec();
    return own;
}

static void take_back(bool own)
{
    int error;

    if (!ct_gate_has_tls())
        return;
    error = errno;
    ct_session_after_exec();
    if (own && ct_recording(CT_CAT_process))
        EMIT(EXEC_FAILED, .result = -error);
    errno = error;
}

/* `real` returns only when it failed.  The environment is the caller's own: without our variables the program to come is
 * not traced. */
#define EXEC(path, real) \
    __extension__({ \
        bool ct_own = announce(path); \
        int ct_result = (real); \
        take_back(ct_own); \
        ct_result; \
    })

CT_WRAPPER int execve(const char *path, char *const argv[], char *const envp[])
{
    return EXEC(path, ct_real.execve(path, argv, envp));
}

CT_WRAPPER int execv(const char *path, char *const argv[])
{
    return EXEC(path, ct_real.execv(path, argv));
}

CT_WRAPPER int execvp(const char *file, char *const argv[])
{
    return EXEC(file, ct_real.execvp(file, argv));
}

CT_WRAPPER int execvpe(const char *file, char *const argv[], char *const envp[])
{
    return EXEC(file, ct_real.execvpe(file, argv, envp));
}

CT_WRAPPER int fexecve(int fd, char *const argv[], char *const envp[])
{
    return EXEC(NULL, ct_real.fexecve(fd, argv, envp));
}

CT_WRAPPER int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    return EXEC(path, ct_real.execveat(dir, path, argv, envp, flags));
}

/* The forms with a list: the arguments up to NULL, put on the stack as libc does. */
static size_t count_arguments(va_list list)
{
    size_t n = 1;

    while (va_arg(list, char *))
        n++;
    return n;
}

#define ARGUMENTS(first, list) \
    __extension__({ \
        va_list ct_again; \
        size_t ct_n; \
        char **ct_argv; \
        va_start(list, first); \
        va_copy(ct_again, list); \
        ct_n = count_arguments(ct_again); \
        va_end(ct_again); \
        ct_argv = alloca((ct_n + 1) * sizeof *ct_argv); \
        ct_argv[0] = (char *)(uintptr_t)(first); \
        for (size_t ct_i = 1; ct_i <= ct_n; ct_i++) \
            ct_argv[ct_i] = va_arg(list, char *); \
        ct_argv; \
    })

CT_WRAPPER int execl(const char *path, const char *argument, ...)
{
    va_list list;
    char **argv = ARGUMENTS(argument, list);

    va_end(list);
    return EXEC(path, ct_real.execv(path, argv));
}

CT_WRAPPER int execlp(const char *file, const char *argument, ...)
{
    va_list list;
    char **argv = ARGUMENTS(argument, list);

    va_end(list);
    return EXEC(file, ct_real.execvp(file, argv));
}

CT_WRAPPER int execle(const char *path, const char *argument, ...)
{
    va_list list;
    char **argv = ARGUMENTS(argument, list), **envp = va_arg(list, char **);

    va_end(list);
    return EXEC(path, ct_real.execve(path, argv, envp));
}
