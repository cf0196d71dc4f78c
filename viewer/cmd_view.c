/* `ctrace view`: a trace or a profile in the browser. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "viewer/commands.h"
#include "viewer/range_argument.h"
#include "viewer/subject.h"
#include "viewer/view/fetch.h"
#include "viewer/view/invite.h"
#include "viewer/view/keep.h"
#include "viewer/view/profile.h"

static const char usage_text[] =
    "usage: ctrace view [OPTION...] FILE|FOLDER|URL...\n"
    "\n"
    "Opens a trace as a timeline in the browser, or a profile that pprof reads (cpu.pb.gz) as a flame graph.  Prints the\n"
    "page's URL and serves it until interrupted; nothing leaves this machine.  A folder stands for the trace.out in it,\n"
    "and what child processes wrote beside a trace is shown in the same timeline.  What a URL of a debug server answers\n"
    "is saved in the current folder first.\n"
    "\n"
    "      --listen ADDR      where to listen: 127.0.0.1:6061, or the next free port; port 0 is any\n"
    "      --no-browser       open none, only print the URL\n"
    "      --index-dir DIR    keep the trace's index there (else beside the trace, or in the user's cache)\n"
    "      --alone            only the trace named, not those of child processes\n"
    "      --offset HOST=NS   add so much to the times of that machine (also -1.5ms), when traces are of several\n"
    "      --range BEGIN,END  these events of CTF are the ends of a range, as X_begin and X_end are anyway\n"
    "      --base PROFILE     compare the profile with this one\n"
    "  -h, --help             this text\n"
    "\n"
    "Examples:\n"
    "  ctrace view trace.out\n"
    "  ctrace view http://localhost:6060/debug/pprof/trace?seconds=5\n"
    "  ctrace view http://localhost:6060/debug/pprof/heap\n"
    "  ctrace view net://localhost/host/$(hostname)/SESSION       a live session of LTTng's\n"
    "  ctrace view --base before.pb.gz after.pb.gz\n";

enum { LOOK_MS = 200, EARLY = 100 };

struct job {
    struct ct_invite_options invite;
    struct ct_subject_options subject;
    const char *base;
    struct ct_view_profile profile;
    struct ct_subject *trace;       /* NULL: a profile */
    struct ct_view view;
    struct ct_invite place;
    sigset_t ends;                  /* signals that end it */
};

static int complain(const struct ct_error *err)
{
    if (err->offset > 0)
        fprintf(stderr, "ctrace view: %s (at byte %llu)\n", err->text, (unsigned long long)err->offset);
    else
        fprintf(stderr, "ctrace view: %s\n", err->text);
    return 1;
}

/* ---- what to show ---- */

static int open_profile(struct job *job, struct ct_error *err)
{
    struct ct_error inner = { 0 };
    int r = ct_view_profile_open(job->view.files[0], job->base, &job->profile, &inner);

    if (r == -EINVAL && !job->base)
        return ct_error_at(err, r, inner.offset, "neither a trace nor a profile: %.120s", inner.text);
    *err = inner;
    if (r == 0)
        job->view.profile = &job->profile;
    return r;
}

/* A file that is no trace at all is known as such soon: then there is no page to open. */
static int give_up_early(const struct job *job, struct ct_error *err)
{
    const struct timespec pause = { 0, 1000000 };       /* an index that is there already is taken up in less */
    struct ct_index_progress p = { 0 };

    for (unsigned i = 0; i < EARLY && p.events == 0; i++) {
        ct_index_progress(job->view.index, &p);
        if (p.state == CT_INDEX_FAILED)
            return ct_error_at(err, -EINVAL, 0, "%s", p.error);
        if (p.state == CT_INDEX_READY)
            return 0;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int open_trace(struct job *job, struct ct_error *err)
{
    int r = job->base ? ct_error_at(err, -EINVAL, 0, "--base compares profiles; %.80s is a trace", job->view.files[0])
                      : ct_subject_open(&job->subject, &job->trace, err);

    if (r < 0)
        return r;
    job->view.files = ct_subject_files(job->trace, &job->view.file_count);
    job->view.index = ct_subject_index(job->trace);
    job->view.notes = ct_subject_notes(job->trace);
    if (ct_subject_is_growing(job->trace))      /* what was shown of it at another time is not what is shown now */
        job->view.said = job->view.said * 31 + (uint64_t)time(NULL) + (uint64_t)getpid();
    return give_up_early(job, err);
}

static int open_subject(struct job *job, struct ct_error *err)
{
    int r = ct_subject_is_profile(job->subject.paths[0], err);

    job->view.files = job->subject.paths;
    job->view.file_count = 1;
    job->view.far = getenv("SSH_CONNECTION") != NULL;
    job->view.assets = &ct_page_assets;
    if (r > 0 && job->subject.count > 1)
        return ct_error_at(err, -EINVAL, 0, "one profile at a time; --base names one to compare it with");
    if (r >= 0)
        r = r > 0 ? open_profile(job, err) : open_trace(job, err);
    ct_view_set_key(&job->view);
    return r;
}

/* ---- serving ---- */

/* Says how far the index is, on a terminal.  True when there is nothing more to say. */
static bool look(const struct job *job, bool terminal, bool *shown)
{
    struct ct_index_progress p;

    if (!job->view.index)
        return true;
    ct_index_progress(job->view.index, &p);
    if (p.state == CT_INDEX_BUILDING) {
        if (terminal && p.growing)
            fprintf(stderr, "\rlive: %.1f s, %llu events, %.1f s ago \033[K", (double)p.covered_ns / 1e9,
                    (unsigned long long)p.events, (double)p.age_ns / 1e9);
        else if (terminal && p.seconds_left >= 0)
            fprintf(stderr, "\rindexing: %.0f %%, %.0f s left \033[K", p.part * 100, p.seconds_left);
        else if (terminal)
            fprintf(stderr, "\rindexing: %.0f %% \033[K", p.part * 100);
        *shown = terminal;
        return false;
    }
    if (*shown)
        fputs("\r\033[K", stderr);
    if (*p.error)
        fprintf(stderr, "ctrace view: %s\n", p.error);
    return true;
}

static void serve(struct job *job)
{
    const struct timespec pause = { 0, LOOK_MS * 1000000 };
    bool terminal = isatty(STDERR_FILENO), shown = false, over;

    ct_invite_say(&job->place, &job->invite);
    do {
        over = look(job, terminal, &shown);
        if ((over ? sigwaitinfo(&job->ends, NULL) : sigtimedwait(&job->ends, NULL, &pause)) >= 0)
            break;
    } while (!over || errno == EINTR);
    if (shown)
        fputs("\r\033[K", stderr);
}

/* Before the first thread begins, so that all have them blocked. */
static void block_ends(struct job *job)
{
    sigemptyset(&job->ends);
    sigaddset(&job->ends, SIGINT);
    sigaddset(&job->ends, SIGTERM);
    sigaddset(&job->ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &job->ends, NULL);
}

static int run(struct job *job)
{
    char token[CT_KEEP_TOKEN], *settings = ct_keep_path("view-settings.json");
    struct ct_error err = { 0 };
    int r = ct_keep_token(token);

    job->invite.token = token;
    job->view.settings = settings;
    pthread_mutex_init(&job->view.saving, NULL);
    block_ends(job);
    if (r < 0)
        ct_error_fill(&err, r, 0, "there are no random numbers for a token");
    if (r == 0)
        r = open_subject(job, &err);
    if (r == 0)
        r = ct_invite_begin(&job->place, &job->view, &job->invite, &err);
    if (r == 0) {
        if (ct_page_assets.missing)
            fprintf(stderr, "ctrace view: this ctrace was built without its page (%s): only the API is served\n",
                    ct_page_assets.missing);
        serve(job);
    }
    atomic_store_explicit(&job->view.stopping, true, memory_order_relaxed);
    ct_invite_end(&job->place);
    ct_subject_close(job->trace);
    ct_view_profile_fini(&job->profile);
    free(settings);
    return r < 0 ? complain(&err) : 0;
}

/* ---- the command line ---- */

/* A URL becomes the file that it was fetched into; false: it was said why not. */
static bool fetch(struct job *job, const char **path)
{
    struct ct_error err = { 0 };
    char *file;

    if (!ct_fetch_is_url(*path))
        return true;
    if (ct_fetch(*path, &file, &err) < 0) {
        complain(&err);
        return false;
    }
    fprintf(stderr, "saved as %s\n", file);
    *path = file;                   /* kept as long as the program runs */
    return true;
}

static int usage(FILE *to, int status)
{
    return fputs(usage_text, to) < 0 ? 1 : status;
}

/* What is said of the trace makes it another one to who keeps answers. */
static void remember(struct job *job, const char *said)
{
    for (; *said; said++)
        job->view.said = job->view.said * 31 + (uint8_t)*said;
}

int ct_cmd_view(int argc, char **argv)
{
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' }, { "no-browser", no_argument, NULL, 'n' },
        { "index-dir", required_argument, NULL, 'i' }, { "alone", no_argument, NULL, 'a' },
        { "base", required_argument, NULL, 'b' }, { "help", no_argument, NULL, 'h' },
        { "offset", required_argument, NULL, 'o' }, { "range", required_argument, NULL, 'r' }, { 0 },
    };
    static char base[] = "--base";
    struct job job = { .invite.browser = true };
    struct ct_error err = { 0 };
    int option;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-base") == 0)      /* as pprof has it */
            argv[i] = base;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'l': job.invite.listen = optarg; break;
        case 'n': job.invite.browser = false; break;
        case 'i': job.subject.index_folder = optarg; break;
        case 'a': job.subject.alone = true; break;
        case 'b': job.base = optarg; break;
        case 'o':
            if (ct_hosts_say(&job.subject.hosts, optarg, &err) < 0)
                return complain(&err), 2;
            remember(&job, optarg);
            break;
        case 'r':
            if (ct_range_argument(&job.subject.ctf, optarg, &err) < 0)
                return complain(&err), 2;
            remember(&job, optarg);
            break;
        case 'h': return usage(stdout, 0);
        default: return 2;
        }
    }
    if (optind == argc)
        return usage(stderr, 2);
    job.subject.paths = (const char **)argv + optind;
    job.subject.count = (size_t)(argc - optind);
    for (size_t i = 0; i < job.subject.count; i++)
        if (!fetch(&job, &job.subject.paths[i]))
            return 1;
    ct_subject_sift(&job.subject);
    return run(&job);
}
