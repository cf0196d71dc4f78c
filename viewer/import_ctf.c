/* The process that reads CTF, and the file that it leaves. */
#include "viewer/import_ctf.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format/file.h"
#include "viewer/bt2.h"
#include "viewer/import_child.h"
#include "viewer/import_live.h"
#include "viewer/open.h"

enum { SILENCE_S = 10, LOOK_MS = 1000 };

struct answer {
    int code;
    struct ct_error err;
    char notes[CT_CTF_NOTES];
};

struct import {
    const char *place;
    char folder[CT_PATH_MAX], file[CT_PATH_MAX + 8], scratch[CT_PATH_MAX + 8];
    unsigned deaths;                    /* of children that had told nothing */
    bool hangs;                         /* its relay has not said a word for so long that this was told */
    pid_t child;                        /* 0: none (any more) */
    int answer;                         /* where it says how it ended; -1 */
    int words;                          /* what babeltrace2 says there; -1 */
};

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

/* What is ignored, as nohup(1) has it, stays so. */
static void take_over(int signal, const struct sigaction *action, struct sigaction *before)
{
    if (sigaction(signal, NULL, before) == 0 && before->sa_handler != SIG_IGN)
        sigaction(signal, action, NULL);
}

/* --- in the child --- */

/* The parent's handlers are not for this process; a live session has its own. */
static void be_a_child(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL }, before;

    for (int i = 0; i < 3; i++)
        take_over(ends[i], &action, &before);
    ct_import_be_child();
}

/* What a live session delivers goes straight into the file: of what babeltrace2 dies of, the file has what was before. */
static const char *in_place(const char *file)
{
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

    return fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 ? "-" : file;
}

/* babeltrace2 says on stderr what it finds and aborts for, in the words of its programmers: that is kept, to be gleaned. */
static _Noreturn void work(const struct ct_bt2_door *door, const struct import *one, const struct ct_ctf_options *options, int to)
{
    const char *file = one->file;
    struct answer answer = { 0 };
    struct ct_ctf_options own = { 0 };

    be_a_child();
    if (ct_opened_is_live(one->place))
        file = in_place(file);
    if (options)
        own = *options;
    if (dup2(one->words, STDERR_FILENO) >= 0)
        own.words = STDERR_FILENO;
    own.notes = answer.notes;
    own.scratch = one->scratch;
    answer.code = door->read_ctf(one->place, &own, file, &answer.err);
    _exit(write(to, &answer, sizeof answer) == sizeof answer ? 0 : 1);
}

/* --- in the parent --- */

/* Whom ^C is for; 0: nobody (any more).  And that it came: it may be before there is anybody. */
static volatile pid_t children[CT_IMPORTS_MAX];
static volatile sig_atomic_t stopping;

static void pass_on(int signal)
{
    stopping = signal;
    for (int i = 0; i < CT_IMPORTS_MAX; i++)
        if (children[i] > 0)
            kill(children[i], signal);
}

void ct_import_stop(bool stop)
{
    stopping = 0;
    if (stop)
        pass_on(SIGKILL);               /* also one that is stopped: the parent tidies up */
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

static int spawn(struct import *one, volatile pid_t *slot, const struct ct_bt2_door *door, const struct ct_ctf_options *options,
                 struct ct_error *err)
{
    sigset_t all, before;
    int pipes[2];

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);        /* who is told is known before anybody can be */
    one->child = *slot = fork();
    if (one->child == 0)
        work(door, one, options, pipes[1]);
    if (stopping && one->child > 0)
        kill(one->child, stopping);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pipes[1]);
    one->answer = pipes[0];
    if (one->child < 0) {
        one->child = *slot = 0;
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    }
    return 0;
}

static int begin(struct import *one, volatile pid_t *slot, const struct ct_bt2_door *door, const struct ct_ctf_options *options,
                 struct ct_error *err)
{
    const char *parent = getenv("TMPDIR");

    snprintf(one->folder, sizeof one->folder, "%s/ctrace-ctf-XXXXXX", parent && *parent == '/' ? parent : "/tmp");
    if (!mkdtemp(one->folder)) {
        ct_error_fill(err, -errno, 0, "%.80s: %s", one->folder, strerror(errno));
        one->folder[0] = '\0';
        return err->code;
    }
    snprintf(one->file, sizeof one->file, "%s/trace", one->folder);
    snprintf(one->scratch, sizeof one->scratch, "%s/ctf", one->folder);
    one->words = memfd_create("ctrace-words", MFD_CLOEXEC);
    if (one->words < 0 || mkdir(one->scratch, 0700) < 0)
        return ct_error_at(err, -errno, 0, "%.80s: %s", one->folder, strerror(errno));
    if (ct_opened_is_live(one->place) && isatty(STDERR_FILENO))
        fprintf(stderr, "following %s until it ends; ^C ends it here\n", one->place);
    return spawn(one, slot, door, options, err);
}

static bool is_end(int signal)
{
    return signal == ends[0] || signal == ends[1] || signal == ends[2];
}

static bool has_told(const struct import *one)
{
    struct stat st;

    return stat(one->file, &st) == 0 && st.st_size > (off_t)sizeof(struct ct_file_head);
}

/*
 * The child's answer; when it has none, how it died, which of a live session is no failure if something had arrived.  1: a child that
 * had told nothing was given up, and another may take its place.
 */
static int take_answer(struct import *one, volatile pid_t *slot, const struct ct_bt2_door *door, struct ct_error *err)
{
    struct answer answer;
    ssize_t n;
    int status;

    do
        n = read(one->answer, &answer, sizeof answer);
    while (n < 0 && errno == EINTR);
    while (waitpid(one->child, &status, 0) < 0 && errno == EINTR)
        ;
    one->child = *slot = 0;
    if (n == sizeof answer) {
        *err = answer.err;
        say(answer.notes);
        return answer.code;
    }
    if (WIFSIGNALED(status) && is_end(WTERMSIG(status)) && !(ct_opened_is_live(one->place) && has_told(one)))
        return ct_error_at(err, -EINTR, 0, "%.300s: it was not read to its end: %s", one->place, strsignal(WTERMSIG(status)));
    if (ct_opened_is_live(one->place) && WIFSIGNALED(status) && !has_told(one) && ++one->deaths <= CT_IMPORT_DEATHS_MAX) {
        close(one->answer);
        one->answer = -1;
        unlink(one->file);
        return 1;
    }
    ct_error_fill(err, -EIO, 0, "%.300s: babeltrace2 died of this CTF: %s", one->place,
                  !WIFSIGNALED(status) ? "it said nothing"
                  : WTERMSIG(status) == SIGTRAP ? "it wanted more memory than it may have"      /* how its GLib ends then */
                                                : strsignal(WTERMSIG(status)));
    (void)door->add_words(err, one->words, 0);
    return ct_opened_is_live(one->place) && has_told(one) ? 0 : err->code;
}

static int take_file(struct import *one, int *ret_fd, struct ct_error *err)
{
    if (err->code)
        fprintf(stderr, "ctrace: %s; what arrived before is all there is\n", err->text);
    *ret_fd = open(one->file, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? ct_error_at(err, -errno, 0, "%.80s: %s", one->file, strerror(errno)) : 0;
}

/* A relay that hangs is waited for: whether to go on waiting is for who can look at it. */
static void tell_of_hanging(struct import *one)
{
    struct stat st;
    time_t silent = ct_opened_is_live(one->place) && stat(one->file, &st) == 0 ? time(NULL) - st.st_mtim.tv_sec : 0;

    if (silent > SILENCE_S && !one->hangs)
        fprintf(stderr, "ctrace: %s: the relay daemon has not answered for %d s; ^C ends it here\n", one->place, SILENCE_S);
    one->hangs = silent > SILENCE_S;
}

/* As they end, which may be long after one another: what is wrong with one of them is said at once. */
static int wait_for_all(struct import *all, size_t count, const struct ct_bt2_door *door, const struct ct_ctf_options *options, int *ret_fds,
                        struct ct_error *err)
{
    size_t left = count;
    int r = 0;

    while (r == 0 && left > 0) {
        struct pollfd ready[CT_IMPORTS_MAX];

        for (size_t i = 0; i < count; i++)
            ready[i] = (struct pollfd){ .fd = all[i].child > 0 ? all[i].answer : -1, .events = POLLIN };
        if (poll(ready, count, LOOK_MS) < 0)
            continue;
        for (size_t i = 0; r == 0 && i < count; i++) {
            if (!ready[i].revents && all[i].child > 0)
                tell_of_hanging(&all[i]);
            if (!ready[i].revents)
                continue;
            r = take_answer(&all[i], &children[i], door, err);
            if (r > 0) {
                r = spawn(&all[i], &children[i], door, options, err);
                continue;
            }
            if (r == 0)
                r = take_file(&all[i], &ret_fds[i], err);
            left--;
        }
    }
    return r;
}

/* With the trace, and what was unpacked. */
static void remove_folder(char *folder)
{
    char *const roots[] = { folder, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    const FTSENT *entry;

    while (tree && (entry = fts_read(tree)))
        if (entry->fts_info == FTS_DP)
            rmdir(entry->fts_path);
        else if (entry->fts_info != FTS_D)
            unlink(entry->fts_path);
    if (tree)
        fts_close(tree);
}

static void end(struct import *one, volatile pid_t *slot)
{
    if (one->child > 0) {
        kill(one->child, SIGKILL);
        while (waitpid(one->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    *slot = 0;
    if (one->answer >= 0)
        close(one->answer);
    if (one->words >= 0)
        close(one->words);
    if (one->folder[0])
        remove_folder(one->folder);
}

int ct_import_ctf(const char *const *places, size_t count, const struct ct_ctf_options *options, int *ret_fds, struct ct_error *err)
{
    struct sigaction action = { .sa_handler = pass_on }, before[3];
    const struct ct_bt2_door *door = ct_bt2_open(err);
    struct import *all = door && count <= CT_IMPORTS_MAX ? calloc(count, sizeof *all) : NULL;
    int r = 0;

    if (!all)
        return !door ? err->code : ct_error_at(err, count > CT_IMPORTS_MAX ? -E2BIG : -ENOMEM, 0, "no more than %d at once", CT_IMPORTS_MAX);
    for (size_t i = 0; i < count; i++)
        all[i] = (struct import){ .place = places[i], .answer = ret_fds[i] = -1, .words = -1 };
    for (int i = 0; i < 3; i++)
        take_over(ends[i], &action, &before[i]);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = begin(&all[i], &children[i], door, options, err);
    if (r == 0)
        r = wait_for_all(all, count, door, options, ret_fds, err);
    for (size_t i = 0; i < count; i++) {
        end(&all[i], &children[i]);
        if (r < 0 && ret_fds[i] >= 0)
            close(ret_fds[i]);
    }
    for (int i = 0; i < 3; i++)
        sigaction(ends[i], &before[i], NULL);
    free(all);
    return r;
}
