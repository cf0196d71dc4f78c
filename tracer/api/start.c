/* trace_start() and trace_stop(): a trace begun by the program itself. */
#include "ctrace.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/door.h"
#include "api/output.h"
#include "format/serve.h"
#include "format/settings.h"
#include "record/control.h"

#define TRACE_API __attribute__((visibility("default")))

const struct ct_entry *ct_door __attribute__((visibility("hidden")));

enum how { NOT_STARTED, UNDER_RECORD, INSIDE };

/* The one trace that this program started.  Everything under `lock`. */
static struct {
    pthread_mutex_t lock;
    enum how how;
    pid_t pid;                          /* a forked child inherits the words, not the trace */
    int fd;
    bool own_fd;
    const struct ct_serve_api *serve;
    struct ct_settings settings;        /* of CTRACE_* variables, read at each start */
    char session[sizeof ((struct ct_session_options *)0)->dir];
} started = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static __attribute__((constructor(102))) void find_door(void)
{
    ct_door = ct_recorder(CT_ENTRY_VERSION);
    if (ct_door)
        ct_door->skip_code((const void *)&find_door);
}

/* libctrace-serve.so beside this library, or where the loader finds it. */
static const struct ct_serve_api *load_serve(void)
{
    char path[PATH_MAX];
    ct_serve_function *serve;
    Dl_info self;
    void *library = NULL;
    const char *slash;

    if (dladdr((void *)&load_serve, &self) && (slash = strrchr(self.dli_fname, '/'))) {
        snprintf(path, sizeof path, "%.*s/" CT_SERVE_LIBRARY, (int)(slash - self.dli_fname), self.dli_fname);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (!library)
        library = dlopen(CT_SERVE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return NULL;
    *(void **)&serve = dlsym(library, CT_SERVE_SYMBOL);
    return serve ? serve(CT_SERVE_VERSION) : NULL;
}

/* A directory of this process's own for its arena; none is no obstacle, the arena is a memfd then. */
static void make_session(char *path, size_t size)
{
    snprintf(path, size, "/dev/shm/ctrace-%u-XXXXXX", (unsigned)geteuid());
    if (!mkdtemp(path))
        path[0] = '\0';
}

static int open_session(void)
{
    struct ct_session_options options;
    int r;

    if (ct_door->arena())
        return 0;                       /* a trace_start() after a trace_stop() */
    ct_door->default_options(&options);
    options.start = false;
    options.buffer = started.settings.buffer;
    options.categories = started.settings.categories | 1;
    options.depth = started.settings.depth;
    options.paths = started.settings.paths;
    options.cpu_rate = started.settings.cpu_rate;
    options.cpu_signal = started.settings.cpu_signal;
    options.heap_rate = started.settings.heap_rate;
    make_session(options.dir, sizeof started.session);
    strcpy(started.session, options.dir);
    r = ct_door->open(&options);
    if (r < 0 && started.session[0])
        rmdir(started.session);
    return r;
}

static int start_inside(const char *path, int fd)
{
    struct ct_serve_start how = {
        .path = path, .fd = fd, .hide_thread = ct_door->hide_thread, .ask = ct_door->ask,
        .start_request = CT_ASK_START, .stop_request = CT_ASK_STOP,
        .limit = started.settings.limit, .delay_ms = started.settings.delay_ms,
        .duration_ms = started.settings.duration_ms,
    };
    int r;

    if (!started.serve)
        return -ELIBACC;
    r = open_session();
    if (r < 0)
        return r;
    how.arena = ct_door->arena();
    how.session = started.session;
    r = started.serve->start(&how);
    if (r < 0 || how.delay_ms)
        return r;                       /* after a delay the drain opens the gate */
    r = ct_door->ask(CT_ASK_START, -1, NULL);
    if (r < 0)
        started.serve->stop();
    return r;
}

static int start(const char *path, int fd, bool own_fd)
{
    int r;

    if (ct_door->recorded()) {
        r = ct_door->ask(CT_ASK_CONSUMER, fd, path);
        started.how = UNDER_RECORD;
    } else {
        r = start_inside(path, fd);
        started.how = INSIDE;
    }
    if (r < 0) {
        started.how = NOT_STARTED;
        return r;
    }
    started.fd = fd;
    started.own_fd = own_fd;
    started.pid = getpid();
    return 0;
}

/* Whether a trace of this very process is in force. */
static bool is_started(void)
{
    return started.how != NOT_STARTED && started.pid == getpid();
}

static const char *look_up(const char *name)
{
    return getenv(name);
}

/* What CTRACE_* ask for; the newest part of a trace is kept by `ctrace record` only. */
static int read_settings(void)
{
    unsigned wrong;

    ct_settings_default(&started.settings);
    if (ct_settings_environment(&started.settings, look_up, &wrong) == 0 && !started.settings.ring)
        return 0;
    if (started.settings.ring)
        fputs("ctrace: CTRACE_MAX_SIZE=ring:... is for `ctrace record`: no trace is started\n", stderr);
    else
        fprintf(stderr, "ctrace: %s=%s is no %s: no trace is started\n", ct_settings_table[wrong].variable,
                getenv(ct_settings_table[wrong].variable), ct_settings_table[wrong].argument);
    return -EINVAL;
}

static int before_start(void)
{
    int r;

    if (!ct_door)
        return -ENOSYS;
    if (is_started())
        return -EALREADY;
    r = read_settings();
    if (r < 0)
        return r;
    if (!ct_door->recorded() && !started.serve)
        started.serve = load_serve();
    return 0;
}

/* `path`: with its fields filled in, of PATH_MAX bytes. */
static int start_file(char *path)
{
    char whole[PATH_MAX];
    bool moved;
    int r, fd;

    if (started.serve)
        started.serve->sweep();
    fd = api_output_open(path, &moved);
    if (fd < 0)
        return fd;
    r = start(realpath(path, whole) ? whole : path, fd, true);
    if (r < 0)
        api_output_undo(path, fd, moved);
    return r;
}

TRACE_API int trace_start(const char *path)
{
    char name[PATH_MAX];
    int r;

    pthread_mutex_lock(&started.lock);
    r = before_start();
    if (r == 0)
        r = api_output_name(path && *path ? path : started.settings.output, name, sizeof name);
    if (r == 0)
        r = start_file(name);
    pthread_mutex_unlock(&started.lock);
    return r;
}

TRACE_API int trace_start_fd(int fd)
{
    int r;

    if (fcntl(fd, F_GETFL) < 0 || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    pthread_mutex_lock(&started.lock);
    r = before_start();
    if (r == 0)
        r = start(NULL, fd, false);
    pthread_mutex_unlock(&started.lock);
    return r;
}

static int stop(void)
{
    int r;

    if (started.how == UNDER_RECORD) {
        r = ct_door->ask(CT_ASK_UNCONSUME, -1, NULL);
    } else {
        ct_door->ask(CT_ASK_STOP, -1, NULL);
        r = started.serve->stop();
    }
    if (started.own_fd)
        close(started.fd);
    started.how = NOT_STARTED;
    started.fd = -1;
    return r;
}

TRACE_API int trace_stop(void)
{
    int r;

    pthread_mutex_lock(&started.lock);
    r = is_started() ? stop() : -EINVAL;
    pthread_mutex_unlock(&started.lock);
    return r;
}

/* A program that ends without trace_stop() has a whole trace all the same, and leaves nothing in /dev/shm. */
static __attribute__((destructor(102))) void leave(void)
{
    if (!ct_door || ct_door->recorded())
        return;
    if (is_started())
        trace_stop();
    if (started.session[0] && ct_door->arena() && ct_door->arena()->pid == (uint32_t)getpid()) {
        ct_door->forget_arena_file();
        rmdir(started.session);
    }
}
