/* `ctrace record`: a program goes in, its trace comes out, and whoever started it notices nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drain/fault.h"
#include "drain/follow.h"
#include "drain/output.h"
#include "drain/recover.h"
#include "viewer/commands.h"
#include "viewer/record_check.h"
#include "viewer/record_child.h"
#include "viewer/record_finish.h"
#include "viewer/record_options.h"
#include "viewer/record_profiles.h"
#include "viewer/record_serve.h"
#include "viewer/record_strays.h"
#include "viewer/record_untraced.h"

enum { BAD_USAGE = 2, OWN_FAILURE = 125, NOT_RUN = 126, NOT_FOUND = 127, STRAYS_MS = 20, STRAYS_LOOKS = 50, IDLE_MS = 250 };

struct record {
    struct ct_record_options options;
    struct ct_record_child child;
    struct ct_session_dir session;
    struct ct_follow follow;
    struct ct_finish finish;
    struct ct_record_untraced untraced;
    struct ct_record_profiles profiles;
    struct ct_service *service;         /* NULL: nobody asked for one */
    bool no_trace;                      /* it is all that was asked for */
    uint64_t own;                       /* categories for our files */
    uint64_t begins;                    /* categories that programs record from their first instruction on; 0: they wait */
    char program[CT_PATH_MAX];          /* what is run */
    char recorder[CT_PATH_MAX];         /* libctrace-rt.so */
    char output[CT_PATH_MAX];
    char nowhere[CT_SESSION_PATH + 16];
    char order[512];                    /* CTRACE_SESSION */
    unsigned looks;                     /* in vain, for processes that may become traced ones */
    int64_t begin_ms, end_ms;           /* when gates open and shut, on the monotonic clock; 0: done, or never */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- getting ready --- */

static bool beside(const char *executable, const char *up, char ret[CT_PATH_MAX])
{
    const char *slash = strrchr(executable, '/');

    return slash &&
           (size_t)snprintf(ret, CT_PATH_MAX, "%.*s/%s/libctrace-rt.so.0", (int)(slash - executable), executable, up) <
               CT_PATH_MAX && access(ret, R_OK) == 0;
}

/*
 * The recorder is beside this command (a build folder), where it was installed, or where that was moved to.  LD_PRELOAD
 * cannot hold spaces and colons: such a path is reached through a link in the session directory.
 */
static int find_recorder(struct record *r)
{
    char executable[CT_PATH_MAX], found[CT_PATH_MAX], up[CT_PATH_MAX];
    const char *lib = strstr(CT_LIBDIR, "/lib");
    ssize_t n = readlink("/proc/self/exe", executable, sizeof executable - 1);
    const char *started_as = (const char *)getauxval(AT_EXECFN);

    executable[n > 0 ? n : 0] = '\0';
    if (n <= 0 && (!started_as || !realpath(started_as, executable)))       /* there may be no /proc */
        executable[0] = '\0';
    snprintf(up, sizeof up, "..%s", lib ? lib : "/lib");
    if (!beside(executable, ".", found) && !beside(executable, up, found)) {
        snprintf(found, sizeof found, "%s/libctrace-rt.so.0", CT_LIBDIR);
        if (access(found, R_OK) < 0)
            return ct_record_fail(-errno, "the recorder %s is missing: %s", found, strerror(errno));
    }
    if (!realpath(found, r->recorder))
        return ct_record_fail(-errno, "%s: %s", found, strerror(errno));
    if (strpbrk(r->recorder, ": \t")) {
        strcpy(found, r->recorder);
        snprintf(r->recorder, sizeof r->recorder, "%s/libctrace-rt.so", r->session.path);
        if (symlink(found, r->recorder) < 0)
            return ct_record_fail(-errno, "%s: %s", r->recorder, strerror(errno));
    }
    return 0;
}

static int write_order(struct record *r)
{
    const struct ct_settings *o = &r->options.settings;
    uint8_t run[CT_UUID_SIZE];
    char hex[2 * CT_UUID_SIZE + 1];

    if (getrandom(run, sizeof run, 0) != sizeof run)
        return ct_record_fail(-EIO, "no random number for the run: %s", strerror(errno));
    ct_session_hex(run, hex);
    snprintf(r->order, sizeof r->order, "dir=%s;buffer=%llu;categories=%llx;depth=%u;start=%d;paths=%d;"
             "cpu_rate=%u;cpu_signal=%u;heap_rate=%llu;alloc_slow=%llu;lttng=%d;asks=%d;run=%s",
             r->session.path, (unsigned long long)o->buffer, (unsigned long long)(r->begins ? r->begins : o->categories), o->depth,
             r->begins != 0, o->paths, o->cpu_rate, o->cpu_signal, (unsigned long long)o->heap_rate,
             (unsigned long long)o->alloc_slow, o->lttng && ct_record_lttng(r->recorder), o->http != NULL, hex);
    return 0;
}

/* Others' ends were folded in: they get names together with ours. */
static void hear_of_recovery(void *context, const struct ct_recovery *one)
{
    struct record *r = context;

    if (one->path && one->result == 0)
        ct_finish_add_other(&r->finish, one->path, r->output);
    else if (one->path)
        fprintf(stderr, "ctrace: %s lacks its end: %s\n", one->path, one->text);
}

/* The file is opened when the program's pid is known and before it runs. */
static int open_output(struct record *r, int *ret_fd)
{
    const struct ct_recover_options recover = { .report = hear_of_recovery, .context = r, .patience_ms = 2000 };
    int e = ct_record_profiles_init(&r->profiles, &r->options.settings, r->child.pid);

    if (e == 0)
        e = ct_record_path(r->options.settings.output, r->child.pid, r->output);
    if (e < 0)
        return e;
    ct_recover_all(&recover);           /* older traces get their ends before they become .old */
    e = ct_trace_file_open(r->output, ret_fd);
    if (e < 0)
        return ct_record_fail(e, "%s: %s", r->output, strerror(-e));
    e = ct_session_dir_output(&r->session, *ret_fd, r->output);
    if (e < 0) {
        close(*ret_fd);
        return ct_record_fail(e, "%s: %s", r->session.path, strerror(-e));
    }
    return 0;
}

static int watch_signals(struct record *r)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    ct_record_untraced_open(&r->untraced, r->session.path);
    if (r->untraced.fd >= 0)
        epoll_ctl(r->follow.epoll, EPOLL_CTL_ADD, r->untraced.fd, &event);
    return epoll_ctl(r->follow.epoll, EPOLL_CTL_ADD, r->child.signals, &event) < 0 ? -errno : 0;
}

static void hear_closed(void *context, const char *path)
{
    struct record *r = context;

    ct_finish_add(&r->finish, path);
}

static void hear_trouble(void *context, const char *text)
{
    struct record *r = context;

    ct_finish_trouble(&r->finish, text);
}

static void hear_began(void *context, struct ct_process *p)
{
    struct record *r = context;

    if (r->service)
        ct_service_began(r->service, p);
}

static void hear_asked(void *context, struct ct_process *p, const struct ct_control_message *m, int fd)
{
    struct record *r = context;

    ct_record_asked(&r->options.settings, &r->follow, &r->service, p, m, fd);
}

static int listen_to_programs(struct record *r)
{
    struct ct_follow_options options = {
        .output = r->output, .output_fd = -1, .children = r->options.settings.children, .limit = r->options.settings.limit,
        .ring = r->options.settings.ring, .later = r->options.settings.delay_ms != 0 || r->no_trace, .categories = r->options.settings.categories,
        .own = r->own, .begins = r->begins, .cpu_rate = r->options.settings.cpu_rate,
        .calm = r->no_trace ? ct_service_categories() : 0,
    };
    const struct ct_follow_hooks hooks = { .closed = hear_closed, .trouble = hear_trouble, .began = hear_began,
                                          .asked = hear_asked, .context = r };
    int e = open_output(r, &options.output_fd);

    if (e < 0)
        return e;
    e = ct_follow_init(&r->follow, &r->session, &options, &hooks);
    if (e == 0)
        e = watch_signals(r);
    if (e < 0) {
        close(options.output_fd);
        return ct_record_fail(e, "%s: %s", r->session.path, strerror(-e));
    }
    r->follow.first = r->child.pid;
    e = ct_record_serve_first(&r->options.settings, &r->follow, &r->service);
    if (e < 0)
        ct_follow_fini(&r->follow);
    return e;
}

/* --- while it runs --- */

static int until(int64_t moment_ms, int timeout)
{
    int64_t left = moment_ms - now_ms();

    if (!moment_ms)
        return timeout;
    left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
    return timeout < 0 || left < timeout ? (int)left : timeout;
}

/* --delay and --duration. */
static void keep_time(struct record *r)
{
    if (r->begin_ms && now_ms() >= r->begin_ms) {
        r->begin_ms = 0;
        ct_follow_start(&r->follow);
    }
    if (r->end_ms && now_ms() >= r->end_ms) {
        r->end_ms = 0;
        ct_follow_stop(&r->follow);
    }
}

/* Whether somebody is left that may still connect.  Programs that are not traced give us no more than a second. */
static bool strays_come(struct record *r)
{
    switch (ct_record_strays(&r->follow)) {
    case CT_STRAYS_FOUND:
        r->looks = 0;
        return true;
    case CT_STRAYS_MAYBE:
        return ++r->looks < STRAYS_LOOKS;
    default:
        return false;
    }
}

/* One step.  Returns false when there is nothing left to wait for. */
static bool step(struct record *r)
{
    int timeout = !r->child.ended ? -1 : r->looks ? STRAYS_MS : IDLE_MS;

    timeout = until(r->begin_ms, until(r->end_ms, timeout));
    if (ct_follow_step(&r->follow, timeout)) {
        r->child.serving = r->service != NULL;
        ct_record_child_hear(&r->child);
        ct_record_untraced_hear(&r->untraced);
        if (r->service)
            ct_service_hear(r->service);
        if (r->child.ended && !r->follow.first_ended) {
            ct_follow_status(&r->follow, r->child.pid, r->child.status);
            ct_follow_step(&r->follow, 0);
        }
    }
    keep_time(r);
    if (r->child.told_to_end)
        return false;
    if (!r->child.ended || ct_follow_alive(&r->follow))
        return true;
    return r->options.settings.children && strays_come(r);
}

/*
 * The program has ended and left something running: with --no-wait the caller gets the status now, and a copy of
 * this process in the background goes on draining.
 */
static bool go_to_background(struct record *r)
{
    pid_t copy;
    int null;

    fflush(NULL);
    copy = fork();
    if (copy != 0)
        return copy < 0;                /* no copy: then we wait ourselves */
    setsid();
    null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2 && null >= 0; fd++)
        dup2(null, fd);
    ct_follow_forked(&r->follow);
    return true;
}

static void watch_program(struct record *r)
{
    bool in_background = false;

    while (step(r)) {
        if (!r->child.ended || in_background)
            continue;
        if (!r->options.settings.wait) {
            in_background = true;
            if (!go_to_background(r))
                ct_record_child_end_like(&r->child);
        } else if (!r->finish.said_waiting) {
            ct_finish_say_waiting(&r->finish, ct_follow_alive(&r->follow));
        }
    }
}

/* --- from beginning to end --- */

/* A pipe or a device takes one trace; there is no place beside it for those of children. */
static void follow_only_to_files(struct ct_record_options *o)
{
    struct stat st;

    if (stat(o->settings.output, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        o->settings.children = false;
}

/* Three descriptors for each process: a server of hundreds needs more than the usual thousand.  Not the program's limit. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(struct record *r)
{
    struct ct_record_order order = { r->program, r->options.program, r->order, !r->options.settings.children, r->recorder };
    int e = ct_record_child_fork(&r->child, &order);

    if (e < 0)
        return ct_record_fail(OWN_FAILURE, "cannot fork: %s", strerror(-e));
    allow_descriptors();
    if (listen_to_programs(r) < 0) {
        ct_record_child_cancel(&r->child);
        return OWN_FAILURE;
    }
    r->begin_ms = r->options.settings.delay_ms ? now_ms() + r->options.settings.delay_ms : 0;
    r->end_ms = r->options.settings.duration_ms ? now_ms() + r->options.settings.delay_ms + r->options.settings.duration_ms : 0;
    ct_finish_begin(&r->finish, r->output);
    e = ct_record_child_go(&r->child);
    if (e < 0) {
        ct_record_child_cancel(&r->child);
        ct_service_deaf(r->service);
        ct_follow_fini(&r->follow);
        ct_service_stop(r->service);
        unlink(r->output);
        return ct_record_fail(e == -ENOENT ? NOT_FOUND : NOT_RUN, "%s: %s", r->program, strerror(-e));
    }
    watch_program(r);
    ct_finish_lost(&r->finish, ct_follow_lost(&r->follow), r->follow.images);
    ct_service_deaf(r->service);
    ct_follow_fini(&r->follow);
    ct_record_untraced_close(&r->untraced);
    ct_finish_say_notes(r->follow.notes);
    if (!r->no_trace)
        ct_finish_fold(&r->finish, &r->session);
    ct_service_stop(r->service);
    return 0;
}

/*
 * Without a trace of its own a service wants what its profiles are made of, from the start, and more on request; the file
 * that each process must have stays empty and goes with the session.
 */
static void begin_with(struct record *r)
{
    struct ct_settings *o = &r->options.settings;

    r->own = ct_record_profiles_categories(o);
    r->no_trace = o->http && !o->output_given && ct_record_profiles_none(o);
    if (r->no_trace) {
        snprintf(r->nowhere, sizeof r->nowhere, "%s/trace.out", r->session.path);
        o->output = r->nowhere;
    }
    r->begins = r->no_trace ? ct_service_categories() & o->categories : o->delay_ms ? 0 : r->own;
}

int ct_cmd_record(int argc, char **argv)
{
    static struct record r;             /* paths make it large */
    int e = ct_record_options(argc, argv, &r.options);

    if (e)
        return e == 1 ? 0 : BAD_USAGE;
    r.finish.profiles = &r.profiles;
    if (r.options.settings.http && !r.options.settings.wait)
        return ct_record_fail(BAD_USAGE, "--http and --no-wait do not go together: who would serve?");
    follow_only_to_files(&r.options);
    e = ct_record_check(r.options.program[0], r.program);
    if (e)
        return e;
    e = ct_record_signals(&r.child);
    if (e < 0)
        return ct_record_fail(OWN_FAILURE, "cannot listen for signals: %s", strerror(-e));
    ct_fault_init();
    e = ct_session_dir_make(&r.session);
    if (e < 0)
        return ct_record_fail(OWN_FAILURE, "no place for shared memory in /dev/shm, $XDG_RUNTIME_DIR or /tmp: %s", strerror(-e));
    begin_with(&r);
    e = find_recorder(&r) < 0 || write_order(&r) < 0 ? OWN_FAILURE : run(&r);
    ct_session_dir_close(&r.session, true);
    if (e == 0 && !r.no_trace)
        ct_finish_end(&r.finish);
    ct_record_profiles_fini(&r.profiles);
    if (e)
        return e;
    ct_record_child_end_like(&r.child);
}
