/* trace_start() and trace_stop(): a trace begun by the program itself. */
#include "ctrace.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/door.h"
#include "api/output.h"
#include "api/serve.h"
#include "api/session.h"
#include "format/serve.h"
#include "record/control_ask.h"

#define TRACE_API __attribute__((visibility("default")))

const struct ct_entry *ct_door __attribute__((visibility("hidden")));

enum how { NOT_STARTED, UNDER_RECORD, INSIDE };

/* The one trace that this program started.  Everything under the session's lock. */
static struct {
    enum how how;
    pid_t pid;                          /* a forked child inherits the words, not the trace */
    int fd;
    bool own_fd;
} started = { .fd = -1 };

static __attribute__((constructor(102))) void find_door(void)
{
    ct_door = ct_recorder(CT_ENTRY_VERSION);
    if (ct_door && ct_door->size < sizeof *ct_door)
        ct_door = NULL;                 /* an older one, preloaded: it lacks what was added at the end */
    if (ct_door)
        ct_door->skip_code((const void *)&find_door);
}

static int start_inside(const char *path, int fd)
{
    struct ct_serve_start how = {
        .path = path, .fd = fd, .hide_thread = ct_door->hide_thread, .ask = ct_door->ask,
        .start_request = CT_ASK_START, .stop_request = CT_ASK_STOP,
        .limit = api_session.settings.limit, .delay_ms = api_session.settings.delay_ms,
        .duration_ms = api_session.settings.duration_ms,
    };
    int r;

    api_session_dir();
    r = api_session_open(false);
    if (r < 0)
        return r;
    how.arena = ct_door->arena();
    how.session = api_session.dir;
    r = api_session.serve->start(&how);
    if (r < 0 || how.delay_ms)
        return r;                       /* after a delay the drain opens the gate */
    r = ct_door->ask(CT_ASK_START, -1, NULL);
    if (r < 0)
        api_session.serve->stop();
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

bool api_started(void)
{
    return is_started();
}

static int before_start(void)
{
    int r;

    if (!ct_door)
        return -ENOSYS;
    if (is_started())
        return -EALREADY;
    r = api_session_settings("no trace is started");
    return r < 0 || ct_door->recorded() ? r : api_session_library();
}

/* `path`: with its fields filled in, of PATH_MAX bytes. */
static int start_file(char *path)
{
    char whole[PATH_MAX];
    bool moved;
    int r, fd;

    if (api_session.serve)
        api_session.serve->sweep();
    fd = api_output_open(path, &moved);
    if (fd < 0)
        return fd;
    r = start(realpath(path, whole) ? whole : path, fd, true);
    if (r < 0)
        api_output_undo(path, fd, moved);
    return r;
}

/* The same, and a folder that was made for it goes when nothing came of it. */
static int start_in(char *path)
{
    size_t made;
    int r = api_output_into_folder(path, PATH_MAX, &made);

    if (r == 0)
        r = start_file(path);
    if (r < 0 && made) {
        path[made] = '\0';
        rmdir(path);
    }
    return r;
}

TRACE_API int trace_start(const char *path)
{
    char name[PATH_MAX];
    int r;

    pthread_mutex_lock(&api_session.lock);
    r = before_start();
    if (r == 0)
        r = api_output_name(path && *path ? path : api_session.settings.output, name, sizeof name);
    if (r == 0)
        r = start_in(name);
    pthread_mutex_unlock(&api_session.lock);
    return r;
}

TRACE_API int trace_start_fd(int fd)
{
    int r;

    if (fcntl(fd, F_GETFL) < 0 || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    pthread_mutex_lock(&api_session.lock);
    r = before_start();
    if (r == 0)
        r = start(NULL, fd, false);
    pthread_mutex_unlock(&api_session.lock);
    return r;
}

static int stop(void)
{
    int r;

    if (started.how == UNDER_RECORD) {
        r = ct_door->ask(CT_ASK_UNCONSUME, -1, NULL);
    } else {
        ct_door->ask(CT_ASK_STOP, -1, NULL);
        r = api_session.serve->stop();
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

    pthread_mutex_lock(&api_session.lock);
    r = is_started() ? stop() : -EINVAL;
    pthread_mutex_unlock(&api_session.lock);
    return r;
}

/* A program that ends without trace_stop() has a whole trace all the same, and leaves nothing in /dev/shm. */
static __attribute__((destructor(102))) void leave(void)
{
    if (!ct_door || (ct_door->recorded() && !api_served()))
        return;
    if (is_started())
        trace_stop();
    api_serve_leave();
    if (api_session.dir[0] && ct_door->arena() && ct_door->arena()->pid == (uint32_t)getpid()) {
        ct_door->forget_arena_file();
        rmdir(api_session.dir);
    }
}
