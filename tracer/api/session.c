/* Variables, the library that drains and serves, the directory, the arena. */
#include "api/session.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/door.h"
#include "record/control_ask.h"

struct api_session api_session = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *look_up(const char *name)
{
    return getenv(name);
}

/* The newest part of a trace is kept by `ctrace record` only. */
int api_session_settings(const char *result)
{
    unsigned wrong;

    ct_settings_default(&api_session.settings);
    if (ct_settings_environment(&api_session.settings, look_up, &wrong) == 0 && !api_session.settings.ring)
        return 0;
    if (api_session.settings.ring)
        fprintf(stderr, "ctrace: CTRACE_MAX_SIZE=ring:... is for `ctrace record`: %s\n", result);
    else
        fprintf(stderr, "ctrace: %s=%s is no %s: %s\n", ct_settings_table[wrong].variable,
                getenv(ct_settings_table[wrong].variable), ct_settings_table[wrong].argument, result);
    return -EINVAL;
}

/* Beside this library, or where the loader finds it. */
static const struct ct_serve_api *load(void)
{
    char path[PATH_MAX];
    ct_serve_function *serve;
    Dl_info self;
    void *library = NULL;
    const char *slash;

    if (dladdr((void *)&load, &self) && (slash = strrchr(self.dli_fname, '/'))) {
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

static const void *module_of(const void *code)
{
    Dl_info info;

    return code && dladdr(code, &info) ? info.dli_fbase : NULL;
}

/* Linked by -lctrace alone libc comes before the recorder: no wrapper is called, and our threads look like the program's. */
static void warn_of_order(void)
{
    const void *called = module_of(dlsym(RTLD_DEFAULT, "pthread_create"));

    if (called && called == module_of((const void *)&gnu_get_libc_version))
        fprintf(stderr, "ctrace: the recorder stands behind libc and sees no call of the program: link as `pkg-config --libs ctrace`"
                " says, or run it under `ctrace record`\n");
}

int api_session_library(void)
{
    if (!api_session.serve) {
        api_session.serve = load();
        warn_of_order();
    }
    return api_session.serve ? 0 : -ELIBACC;
}

/* Of this process's own; none is no obstacle, the arena is a memfd then. */
void api_session_dir(void)
{
    if (api_session.dir[0])
        return;                         /* a trace_start() after a trace_stop() */
    snprintf(api_session.dir, sizeof api_session.dir, "/dev/shm/ctrace-%u-XXXXXX", (unsigned)geteuid());
    if (!mkdtemp(api_session.dir))
        api_session.dir[0] = '\0';
}

void api_session_undo_dir(void)
{
    if (ct_door->arena() || !api_session.dir[0])
        return;
    rmdir(api_session.dir);
    api_session.dir[0] = '\0';
}

int api_session_open(bool served)
{
    const struct ct_settings *settings = &api_session.settings;
    struct ct_session_options options;
    int r;

    if (ct_door->arena())
        return served ? ct_door->ask(CT_ASK_JOIN, -1, api_session.dir) : 0;
    ct_door->default_options(&options);
    options.start = false;
    options.record = options.inside = served;
    options.buffer = settings->buffer;
    options.categories = settings->categories | 1;
    options.depth = settings->depth;
    options.paths = settings->paths;
    options.cpu_rate = settings->cpu_rate;
    options.cpu_signal = settings->cpu_signal;
    options.heap_rate = settings->heap_rate;
    options.alloc_slow = settings->alloc_slow;
    strcpy(options.dir, api_session.dir);
    r = ct_door->open(&options);
    if (r < 0 && !served)
        api_session_undo_dir();
    return r;
}
