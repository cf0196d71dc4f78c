/* Where a trace goes: patterns, directories, absolute paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "format/pattern.h"
#include "viewer/record_options.h"

static const char file_name[] = "trace.out";

struct text {
    char *at;
    size_t used, size;
    bool full;
};

static void append(struct text *t, const char *what)
{
    size_t length = strlen(what);

    if (length >= t->size - t->used) {
        t->full = true;
        return;
    }
    memcpy(t->at + t->used, what, length + 1);
    t->used += length;
}

static const char *look_up(const char *name)
{
    return getenv(name);
}

static int expand(const char *pattern, pid_t pid, struct text *t)
{
    char host[256] = "";
    struct ct_pattern_values values = { .pid = pid, .time_s = time(NULL), .host = host, .look_up = look_up };
    int r;

    if (gethostname(host, sizeof host - 1) < 0)
        return -errno;
    r = ct_pattern_expand(pattern, &values, t->at, t->size);
    t->used = strlen(t->at);
    return r;
}

/* A directory gets trace.out; one that ends in '/' and is missing is made. */
static int into_directory(struct text *t)
{
    bool slash = t->used && t->at[t->used - 1] == '/';
    struct stat st;

    if (slash && mkdir(t->at, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (stat(t->at, &st) < 0 || !S_ISDIR(st.st_mode))
        return slash ? -ENOTDIR : 0;
    if (!slash)
        append(t, "/");
    append(t, file_name);
    return t->full ? -ENAMETOOLONG : 0;
}

int ct_record_path(const char *pattern, pid_t pid, char ret[CT_PATH_MAX])
{
    struct text t = { .at = ret, .size = CT_PATH_MAX };
    int r = 0;

    *ret = '\0';
    if (*pattern != '/') {
        if (!getcwd(ret, CT_PATH_MAX - 1))
            r = -errno;
        else
            t.used = strlen(ret);
        if (r == 0 && t.used > 1)
            append(&t, "/");
    }
    if (r == 0)
        r = expand(pattern, pid, &t);
    if (r == -EINVAL)
        fprintf(stderr, "ctrace record: '%s': after %% comes p, t, h, q{VARIABLE} or %%\n", pattern);
    else if (r == 0)
        r = into_directory(&t);
    if (r < 0 && r != -EINVAL)
        fprintf(stderr, "ctrace record: %s: %s\n", pattern, strerror(-r));
    return r;
}
