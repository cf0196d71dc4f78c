/* Where a trace goes: patterns, directories, absolute paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

/* The one after '%' at `p`; returns what follows it, NULL when it is not known. */
static const char *append_field(struct text *t, const char *p, pid_t pid)
{
    char word[256];
    const char *end;

    switch (*p) {
    case '%':
        append(t, "%");
        return p + 1;
    case 'p':
        snprintf(word, sizeof word, "%ld", (long)pid);
        append(t, word);
        return p + 1;
    case 't':
        snprintf(word, sizeof word, "%lld", (long long)time(NULL));
        append(t, word);
        return p + 1;
    case 'h':
        if (gethostname(word, sizeof word) < 0)
            return NULL;
        word[sizeof word - 1] = '\0';
        append(t, word);
        return p + 1;
    case 'q':
        end = p[1] == '{' ? strchr(p, '}') : NULL;
        if (!end || (size_t)(end - p - 2) >= sizeof word)
            return NULL;
        memcpy(word, p + 2, (size_t)(end - p - 2));
        word[end - p - 2] = '\0';
        append(t, getenv(word) ? getenv(word) : "");
        return end + 1;
    default:
        return NULL;
    }
}

static int expand(const char *pattern, pid_t pid, struct text *t)
{
    while (*pattern) {
        char one[2] = { *pattern, '\0' };

        if (*pattern++ != '%') {
            append(t, one);
            continue;
        }
        pattern = append_field(t, pattern, pid);
        if (!pattern)
            return -EINVAL;
    }
    return t->full ? -ENAMETOOLONG : 0;
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
