/* trace_serve() and its like: the debug server inside the program, or in `ctrace record` when that is there. */
#include "api/serve.h"

#include "ctrace.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "api/door.h"
#include "api/profile.h"
#include "api/session.h"
#include "record/control_ask.h"

#define TRACE_API __attribute__((visibility("default")))

/* Under the session's lock, like everything here. */
static struct {
    pid_t pid;                          /* that is served; a forked child is served by its parent */
    pid_t own;                          /* that serves itself, at an address or for profiles that it asks for only */
    char url[192];
} serving;

static bool is_served(void)
{
    return serving.pid == getpid();
}

bool api_served(void)
{
    return serving.own == getpid();
}

/* --- the request --- */

/* False when it does not fit; no text is an empty one. */
static bool put_text(char *to, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    if (length >= size)
        return false;
    memcpy(to, text ? text : "", length + 1);
    return true;
}

static bool put_hosts(struct ct_serve_http *http, const struct trace_serve_options *o)
{
    size_t at = 0;

    for (size_t i = 0; i < o->host_count; i++) {
        size_t length = strlen(o->hosts[i]) + 1;

        if (length == 1 || at + length + 1 > sizeof http->hosts)
            return false;
        memcpy(http->hosts + at, o->hosts[i], length);
        at += length;
    }
    return true;
}

/* An older program's struct is shorter than ours: what it does not have is as if not said. */
int api_serve_texts(const struct trace_serve_options *given, struct ct_serve_http *ret)
{
    struct trace_serve_options o = { 0 };

    *ret = (struct ct_serve_http){ .size = sizeof *ret };
    if (!given)
        return 0;
    if (given->size < offsetof(struct trace_serve_options, prefix) || given->size > 4096)
        return -EINVAL;
    memcpy(&o, given, given->size < sizeof o ? given->size : sizeof o);
    ret->insecure = o.insecure != 0;
    if (o.token && !*o.token)
        return -EINVAL;
    return put_text(ret->address, sizeof ret->address, o.address) && put_text(ret->prefix, sizeof ret->prefix, o.prefix) &&
           put_text(ret->token, sizeof ret->token, o.token) && put_hosts(ret, &o) ? 0 : -ENAMETOOLONG;
}

/* --- who serves --- */

/* `ctrace record`, or a parent that serves its children: the request goes there in a file of no name. */
static int serve_elsewhere(struct ct_serve_http *http)
{
    int fd = memfd_create("ctrace-serve", MFD_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = pwrite(fd, http, sizeof *http, 0) == sizeof *http ? ct_door->ask(CT_ASK_SERVE, fd, NULL) : -EIO;
    if (r != -EIO && pread(fd, http, sizeof *http, 0) != sizeof *http)
        r = -EIO;
    close(fd);
    http->place[sizeof http->place - 1] = http->trouble[sizeof http->trouble - 1] = '\0';
    return r;
}

/* Our web server's calls would end in the program's functions of the same name, unless they are the same. */
static bool has_web_server(void)
{
    void *theirs = dlsym(RTLD_DEFAULT, "mg_start");
    const char *slash;
    Dl_info where;

    if (!theirs || dladdr(theirs, &where) == 0)
        return theirs != NULL;
    slash = strrchr(where.dli_fname, '/');
    return strncmp(slash ? slash + 1 : where.dli_fname, "libcivetweb.so", strlen("libcivetweb.so")) != 0;
}

static int refuse(struct ct_serve_http *http, int error, const char *why)
{
    snprintf(http->trouble, sizeof http->trouble, "%s", why);
    return error;
}

static int hang_up(void)
{
    return ct_door->ask(CT_ASK_LEAVE, -1, NULL) == 0;
}

/* What profiles are made of is recorded when trace_serve() returns. */
static void wait_for_gate(void)
{
    static const struct timespec a_while = { 0, 1000000 };

    for (int i = 0; i < 2000 && !ct_door->recording(); i++)
        nanosleep(&a_while, NULL);
}

static int serve_in_dir(struct ct_serve_http *http)
{
    const struct ct_serve_host_program program = {
        .session = api_session.dir, .categories = api_session.settings.categories | 1,
        .cpu_rate = api_session.settings.cpu_rate, .hide_thread = ct_door->hide_thread,
        .hang_up = hang_up,
    };
    int r = api_session.serve->serve(&program, http);

    if (r < 0)
        return r;
    r = api_session_open(true);
    if (r == 0 && !api_session.serve->served())
        r = -ETIMEDOUT;
    if (r < 0)
        api_session.serve->unserve(0);
    else
        wait_for_gate();
    return r;
}

static int serve_inside(struct ct_serve_http *http)
{
    int r;

    if (getauxval(AT_SECURE))
        return refuse(http, -EPERM, "a program that runs with more rights than who started it is never served");
    if (api_started())
        return refuse(http, -EBUSY, "a trace is under way: call trace_serve() before trace_start()");
    r = api_session_library();
    if (r < 0)
        return refuse(http, r, "libctrace-serve.so, or a library that it needs, is missing");
    api_session.serve->sweep();
    api_session_dir();
    if (!api_session.dir[0])
        return refuse(http, -ENOENT, "there is no room in /dev/shm");
    r = serve_in_dir(http);
    if (r < 0)
        api_session_undo_dir();
    serving.own = r == 0 ? getpid() : 0;
    return r;
}

/*
 * On the calling thread, which may be in a constructor that the loader runs: a thread of ours would wait for the loader, and
 * this one for that thread.
 */
static int prepare(struct ct_serve_http *http)
{
    static _Atomic bool prepared;
    int r = 0;

    if (!api_served() || prepared)
        return 0;
    r = api_session.serve->prepare();
    if (r < 0)
        return refuse(http, r, CT_ANSWER_LIBRARY ", or a library that it needs, is missing");
    prepared = true;
    return 0;
}

int api_serve_maker(struct ct_serve_http *ret, bool now)
{
    int r = 0;

    *ret = (struct ct_serve_http){ .size = sizeof *ret };
    pthread_mutex_lock(&api_session.lock);
    if (!ct_door->recorded())
        r = api_session_settings("no profile is made");
    if (r == 0 && !ct_door->recorded())
        r = serve_inside(ret);
    pthread_mutex_unlock(&api_session.lock);
    return r == 0 && now ? prepare(ret) : r;
}

/* In this process, or where it was recorded before. */
static int serve_somewhere(struct ct_serve_http *http)
{
    bool elsewhere = ct_door->recorded();

    if ((!elsewhere || api_served()) && has_web_server())
        return refuse(http, -ENOTSUP, "the program has a web server of its own with the names that ctrace's has: use "
                                      "`ctrace record --http`");
    return elsewhere ? serve_elsewhere(http) : serve_inside(http);
}

static int serve(const struct trace_serve_options *options)
{
    struct ct_serve_http http;
    int r;

    if (!ct_door)
        return -ENOSYS;
    if (is_served())
        return -EALREADY;
    r = options ? api_serve_texts(options, &http) : -EINVAL;
    if (r == 0 && !http.address[0])
        r = -EINVAL;
    if (r == 0)
        r = api_session_settings("nothing is served");
    if (r < 0)
        return r;
    r = serve_somewhere(&http);
    if (r < 0) {
        fprintf(stderr, "ctrace: %s is not served: %s\n", http.address, http.trouble[0] ? http.trouble : strerror(-r));
        return r;
    }
    serving.pid = getpid();
    snprintf(serving.url, sizeof serving.url, "http://%s/", http.place);
    return 0;
}

/* --- the calls --- */

TRACE_API int trace_serve_with(const struct trace_serve_options *options)
{
    int r;

    pthread_mutex_lock(&api_session.lock);
    r = serve(options);
    pthread_mutex_unlock(&api_session.lock);
    return r;
}

TRACE_API int trace_serve(const char *address)
{
    const struct trace_serve_options options = { .size = sizeof options, .address = address };

    return trace_serve_with(&options);
}

static int stop(void)
{
    if (!is_served())
        return -EINVAL;
    if (api_served() && (api_started() || api_profile_begun()))
        return -EBUSY;
    if (api_served())
        api_session.serve->unserve(0);
    serving.pid = serving.own = 0;
    return 0;
}

TRACE_API int trace_serve_stop(void)
{
    int r;

    pthread_mutex_lock(&api_session.lock);
    r = stop();
    pthread_mutex_unlock(&api_session.lock);
    return r;
}

TRACE_API const char *trace_serve_url(void)
{
    return is_served() ? serving.url : NULL;
}

void api_serve_leave(void)
{
    pthread_mutex_lock(&api_session.lock);
    if (api_served())
        api_session.serve->unserve(1);
    serving.pid = serving.own = 0;
    pthread_mutex_unlock(&api_session.lock);
}

/* CTRACE_HTTP=ADDRESS is trace_serve() before main, in a program that is linked with libctrace. */
static __attribute__((constructor(103))) void serve_by_variable(void)
{
    struct trace_serve_options options = { .size = sizeof options };

    if (getauxval(AT_SECURE) || !ct_door)
        return;
    options.address = getenv("CTRACE_HTTP");
    if (!options.address || !*options.address)
        return;
    options.token = getenv("CTRACE_HTTP_TOKEN");
    if (options.token && !*options.token)
        options.token = NULL;
    if (api_session_settings("nothing is served") < 0)
        return;
    options.insecure = api_session.settings.http_insecure;
    options.hosts = &api_session.settings.http_host;
    options.host_count = api_session.settings.http_host != NULL;
    if (trace_serve_with(&options) == 0 && api_served())
        fprintf(stderr, "ctrace: serving %s\n", serving.url);
}
