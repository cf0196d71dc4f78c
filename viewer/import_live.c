/* The process that follows a live session, for those who look at it meanwhile. */
#include "viewer/import_live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/file.h"
#include "viewer/bt2.h"
#include "viewer/import_child.h"

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
    int null;

    own.notes = notes;
    ct_import_be_child();
    signal(SIGINT, SIG_IGN);            /* of the terminal: it is for who serves */
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    dup2(file, STDOUT_FILENO);
    answer.code = door->read_ctf(place, &own, "-", &answer.err);
    _exit(write(to, &answer, sizeof answer) == sizeof answer ? 0 : 1);
}

static int spawn(struct ct_import_live *live, const struct ct_bt2_door *door, struct ct_error *err)
{
    int pipes[2];

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    live->child = fork();
    if (live->child == 0)
        work(door, live->place, live->options, live->file, pipes[1]);
    close(pipes[1]);
    live->answer = pipes[0];
    if (live->child > 0)
        return 0;
    live->child = 0;
    return ct_error_at(err, -errno, 0, "%s", strerror(errno));
}

int ct_import_live_begin(const char *place, const struct ct_ctf_options *options, struct ct_import_live *ret,
                         struct ct_error *err)
{
    const struct ct_bt2_door *door = ct_bt2_open(err);
    struct ct_import_live live = { .answer = -1, .file = -1, .place = place, .options = options };
    int r;

    if (!door)
        return err->code;
    live.file = scratch();
    r = live.file < 0 ? ct_error_at(err, -errno, 0, "no file for what arrives: %s", strerror(errno)) : spawn(&live, door, err);
    if (r < 0)
        ct_import_live_end(&live);
    else
        *ret = live;
    return r;
}

static bool has_told(const struct ct_import_live *live)
{
    struct stat st;

    return fstat(live->file, &st) < 0 || st.st_size > (off_t)sizeof(struct ct_file_head);
}

/* When the child died without a word another may take its place. */
static bool begin_again(struct ct_import_live *live, int status, struct ct_error *err)
{
    const struct ct_bt2_door *door;

    if (!WIFSIGNALED(status) || has_told(live) || ++live->deaths > CT_IMPORT_DEATHS_MAX || ftruncate(live->file, 0) < 0)
        return false;
    door = ct_bt2_open(err);
    return door && spawn(live, door, err) == 0;
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
    if (n != sizeof answer && begin_again(live, status, err))
        return 1;
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
