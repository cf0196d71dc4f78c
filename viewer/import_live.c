/* The process that follows a live session, for those who look at it meanwhile. */
#include "viewer/import_live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viewer/bt2.h"

struct answer {
    int code;
    struct ct_error err;
};

static int scratch(void)
{
    const char *folder = getenv("TMPDIR");
    int fd = open(folder && *folder == '/' ? folder : "/tmp", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : memfd_create("ctrace-live", MFD_CLOEXEC);
}

/* The trace goes to standard output, block by block.  babeltrace2 says on stderr what it dies of: that is for nobody. */
static _Noreturn void work(const struct ct_bt2_door *door, const char *place,
                          const struct ct_ctf_options *options, int file, int to)
{
    static char notes[CT_CTF_NOTES];    /* what may be said at the end is for who converts */
    struct ct_ctf_options own = *options;
    struct answer answer = { 0 };
    sigset_t none;
    int null;

    own.notes = notes;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN);            /* of the terminal: it is for who serves */
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    dup2(file, STDOUT_FILENO);
    answer.code = door->read_ctf(place, &own, "-", &answer.err);
    _exit(write(to, &answer, sizeof answer) == sizeof answer ? 0 : 1);
}

int ct_import_live_begin(const char *place, const struct ct_ctf_options *options, struct ct_import_live *ret,
                         struct ct_error *err)
{
    const struct ct_bt2_door *door = ct_bt2_open(err);
    struct ct_import_live live = { .answer = -1, .file = -1 };
    int pipes[2];

    if (!door)
        return err->code;
    live.file = scratch();
    if (live.file < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
        ct_error_fill(err, -errno, 0, "no file for what arrives: %s", strerror(errno));
        ct_import_live_end(&live);
        return err->code;
    }
    live.child = fork();
    if (live.child == 0)
        work(door, place, options, live.file, pipes[1]);
    close(pipes[1]);
    live.answer = pipes[0];
    if (live.child < 0) {
        ct_error_fill(err, -errno, 0, "%s", strerror(errno));
        live.child = 0;
        ct_import_live_end(&live);
        return err->code;
    }
    *ret = live;
    return 0;
}

int ct_import_live_look(struct ct_import_live *live, struct ct_error *err)
{
    struct pollfd one = { .fd = live->answer, .events = POLLIN };
    struct answer answer;
    int status = 0;
    ssize_t n;

    if (live->answer < 0)
        return 0;
    if (poll(&one, 1, 0) <= 0)
        return 1;
    n = read(live->answer, &answer, sizeof answer);
    close(live->answer);
    live->answer = -1;
    while (waitpid(live->child, &status, 0) < 0 && errno == EINTR)
        ;
    live->child = 0;
    if (n != sizeof answer)
        return ct_error_at(err, -EIO, 0, "babeltrace2 died of what it received: %s",
                           WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it said nothing");
    *err = answer.err;
    return answer.code < 0 ? answer.code : answer.err.code;
}

void ct_import_live_end(struct ct_import_live *live)
{
    if (live->child > 0) {
        kill(live->child, SIGKILL);
        while (waitpid(live->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (live->answer > 0)
        close(live->answer);
    if (live->file > 0)
        close(live->file);
    *live = (struct ct_import_live){ .answer = -1, .file = -1 };
}
