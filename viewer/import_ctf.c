/* The process that reads CTF, and the file that it leaves. */
#include "viewer/import_ctf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viewer/bt2.h"
#include "viewer/open.h"

struct answer {
    int code;
    struct ct_error err;
    char notes[CT_CTF_NOTES];
};

/* --- in the child --- */

/* babeltrace2 says on stderr what it aborts for, in the words of its programmers. */
static void silence(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null >= 0)
        dup2(null, STDERR_FILENO);
}

static _Noreturn void work(const struct ct_bt2_door *door, const char *place, const struct ct_ctf_options *options,
                           const char *file, int to)
{
    struct answer answer = { 0 };
    struct ct_ctf_options own = { 0 };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    silence();
    if (options)
        own = *options;
    own.notes = answer.notes;
    answer.code = door->read_ctf(place, &own, file, &answer.err);
    _exit(write(to, &answer, sizeof answer) == sizeof answer ? 0 : 1);
}

/* --- in the parent --- */

static volatile pid_t child;            /* whom ^C is for */

static void pass_on(int signal)
{
    kill(child, signal);
}

static void say(const char *notes)
{
    for (size_t size; *notes; notes += size + 1) {
        size = strcspn(notes, "\n");
        fprintf(stderr, "ctrace: %.*s\n", (int)size, notes);
        if (!notes[size])
            break;
    }
}

/* The child's answer; when it has none, how it died. */
static int wait_for(int from, struct ct_error *err)
{
    struct answer answer;
    ssize_t n;
    int status;

    do
        n = read(from, &answer, sizeof answer);
    while (n < 0 && errno == EINTR);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (n == sizeof answer) {
        *err = answer.err;
        say(answer.notes);
        return answer.code;
    }
    return ct_error_at(err, -EIO, 0, "babeltrace2 died of this CTF: %s",
                       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it said nothing");
}

static int run_child(const struct ct_bt2_door *door, const char *place, const struct ct_ctf_options *options,
                     const char *file, struct ct_error *err)
{
    struct sigaction action = { .sa_handler = pass_on }, before[2];
    int pipes[2], r;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    child = fork();
    if (child == 0)
        work(door, place, options, file, pipes[1]);
    close(pipes[1]);
    if (child < 0) {
        r = ct_error_at(err, -errno, 0, "%s", strerror(errno));
    } else {
        sigaction(SIGINT, &action, &before[0]);
        sigaction(SIGTERM, &action, &before[1]);
        r = wait_for(pipes[0], err);
        sigaction(SIGINT, &before[0], NULL);
        sigaction(SIGTERM, &before[1], NULL);
    }
    close(pipes[0]);
    return r;
}

int ct_import_ctf(const char *place, const struct ct_ctf_options *options, int *ret_fd, struct ct_error *err)
{
    const struct ct_bt2_door *door = ct_bt2_open(err);
    const char *parent = getenv("TMPDIR");
    char folder[CT_PATH_MAX], file[CT_PATH_MAX + 8];
    int r;

    if (!door)
        return err->code;
    snprintf(folder, sizeof folder, "%s/ctrace-ctf-XXXXXX", parent && *parent == '/' ? parent : "/tmp");
    if (!mkdtemp(folder))
        return ct_error_at(err, -errno, 0, "%.80s: %s", folder, strerror(errno));
    snprintf(file, sizeof file, "%s/trace", folder);
    if (ct_opened_is_live(place) && isatty(STDERR_FILENO))
        fprintf(stderr, "following %s until it ends; ^C ends it here\n", place);
    r = run_child(door, place, options, file, err);
    if (r == 0 && (*ret_fd = open(file, O_RDONLY | O_CLOEXEC)) < 0)
        r = ct_error_at(err, -errno, 0, "%.80s: %s", file, strerror(errno));
    if (r == 0 && err->code)
        fprintf(stderr, "ctrace: %s; what arrived before is all there is\n", err->text);
    unlink(file);
    rmdir(folder);
    return r;
}
