/* Buffered output: buffers are filled by the sink and written, or compressed and written, by whoever drains them. */
#include "converter/output.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/gzip/gzip.h"

enum {
    BUFFER_SIZE = 128 << 10,       /* stays in the second-level cache */
    BUFFERS = 16,                   /* one is filled, one compressed, the others are slack */
    TOGETHER = BUFFERS / 2,         /* who waits is woken when it has so many to do */
    REPEATS = BUFFER_SIZE / 8,      /* of a buffer; more are not told */
    NAME_ROOM = 32,                 /* for "/.ctrace-PID.tmp" and the like behind a path */
};

struct ct_output_drain {
    int fd;
    int error;                      /* negative errno of the drain; under `lock` when there is a thread */
    bool standard, threaded;
    char *path;                     /* final name; NULL: written in place */
    char *temporary;                /* name while it is written; NULL: it has none */

    char *buffer[BUFFERS];
    size_t filled[BUFFERS];
    struct ct_repeat *repeats[BUFFERS];     /* with gzip */
    size_t repeat_count[BUFFERS];
    unsigned filling;               /* index of the buffer the sink fills */

    pthread_t thread;               /* all below only with gzip */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned head, tail;            /* buffers [tail, head) wait for the thread; numbers grow without end */
    bool ended;
    struct ct_gzip *gzip;
};

bool ct_output_name_is_gzip(const char *path)
{
    size_t length = strlen(path);

    return length > 3 && strcmp(path + length - 3, ".gz") == 0;
}

static int write_all(int fd, const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = write(fd, from, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        from += n;
        size -= (size_t)n;
    }
    return 0;
}

/* What the compressor made. */
static int write_packed(void *context, const void *bytes, size_t size)
{
    return write_all(((struct ct_output_drain *)context)->fd, bytes, size);
}

/* The compressing thread: takes buffers in order until the sink has ended and none is left. */
static void *pack_buffers(void *context)
{
    struct ct_output_drain *d = context;

    pthread_mutex_lock(&d->lock);
    for (;;) {
        unsigned index = d->tail % BUFFERS;
        int r = 0;

        if (d->tail == d->head) {
            if (d->ended)
                break;
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        if (d->error == 0) {
            pthread_mutex_unlock(&d->lock);
            r = ct_gzip_feed(d->gzip, d->buffer[index], d->filled[index], d->repeats[index], d->repeat_count[index],
                             write_packed, d);
            pthread_mutex_lock(&d->lock);
        }
        if (r < 0 && d->error == 0)
            d->error = r;
        d->tail++;
        if (d->head - d->tail == BUFFERS - TOGETHER)
            pthread_cond_signal(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void begin_buffer(struct ct_output *out)
{
    struct ct_output_drain *d = out->drain;

    out->base = out->at = d->buffer[d->filling];
    out->end = out->base + BUFFER_SIZE;
    out->repeat = d->repeats[d->filling];
    out->repeat_end = out->repeat ? out->repeat + REPEATS : NULL;
}

/* Whether the buffer's repetitions are what they were said to be, as far as it reaches back; for debug builds. */
static __attribute__((unused)) bool repeats_hold(const struct ct_output *out, const struct ct_repeat *repeats)
{
    size_t done = 0;

    for (const struct ct_repeat *r = repeats; r < out->repeat; r++) {
        if (r->at < done || r->at + r->size > (size_t)(out->at - out->base))
            return false;
        if (r->distance <= r->at && memcmp(out->base + r->at, out->base + r->at - r->distance, r->size) != 0)
            return false;
        done = r->at + r->size;
    }
    return true;
}

void ct_output_flush(struct ct_output *out)
{
    struct ct_output_drain *d = out->drain;
    size_t filled = (size_t)(out->at - out->base);

    assert(!out->repeat || repeats_hold(out, d->repeats[d->filling]));
    if (d->threaded && filled > 0) {
        pthread_mutex_lock(&d->lock);
        d->filled[d->filling] = filled;
        d->repeat_count[d->filling] = (size_t)(out->repeat - d->repeats[d->filling]);
        d->head++;
        if (d->head - d->tail == TOGETHER)
            pthread_cond_signal(&d->changed);
        while (d->head - d->tail == BUFFERS)
            pthread_cond_wait(&d->changed, &d->lock);
        pthread_mutex_unlock(&d->lock);
        d->filling = d->head % BUFFERS;
    } else if (d->error == 0) {
        d->error = write_all(d->fd, out->base, filled);
    }
    out->flushed += filled;
    begin_buffer(out);
}

/* How many of `size` bytes are the same, eight at a time. */
static size_t same_bytes(const char *a, const char *b, size_t size)
{
    size_t same = 0;

    for (; same + 8 <= size; same += 8) {
        uint64_t x, y;

        memcpy(&x, a + same, 8);
        memcpy(&y, b + same, 8);
        if (x != y)
            return same + (size_t)__builtin_ctzll(le64toh(x) ^ le64toh(y)) / 8;
    }
    while (same < size && a[same] == b[same])
        same++;
    return same;
}

void ct_output_compare(struct ct_output *out, const char *from, const char *to, uint64_t *last)
{
    uint64_t at = out->flushed + (uint64_t)(from - out->base);
    size_t same = 0, size = (size_t)(to - from);

    if (*last >= out->flushed && *last < at && size <= at - *last)
        same = same_bytes(from, from - (at - *last), size);
    if (same >= CT_REPEAT_MIN)
        ct_output_repeat(out, from, same, last);
    *last = at;
}

int ct_output_error(const struct ct_output *out)
{
    struct ct_output_drain *d = out->drain;
    int r;

    if (!d->threaded)
        return d->error;
    pthread_mutex_lock(&d->lock);
    r = d->error;
    pthread_mutex_unlock(&d->lock);
    return r;
}

/* A directory's nameless file, when the file system knows such and /proc is there to name it; else one with a temporary name beside `path`. */
static int create_hidden(struct ct_output_drain *d)
{
    size_t size = strlen(d->path) + NAME_ROOM;
    const char *slash = strrchr(d->path, '/');
    char *name = malloc(size);
    int r;

    if (!name)
        return -ENOMEM;
    snprintf(name, size, "%.*s", slash ? (int)(slash - d->path) + 1 : 2, slash ? d->path : "./");
    d->fd = -1;
    if (access("/proc/self/fd", X_OK) == 0)
        d->fd = open(name, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    else
        errno = EOPNOTSUPP;
    if (d->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
        r = d->fd >= 0 ? 0 : -errno;
        free(name);
        return r;
    }
    snprintf(name, size, "%s.%ld.tmp", d->path, (long)getpid());
    d->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (d->fd < 0) {
        r = -errno;
        free(name);
        return r;
    }
    d->temporary = name;
    return 0;
}

static int open_file(struct ct_output_drain *d, const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0) {
        d->standard = true;
        d->fd = STDOUT_FILENO;
        return 0;
    }
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return -EISDIR;
        if (!S_ISREG(st.st_mode)) {
            d->fd = open(path, O_WRONLY | O_CLOEXEC);
            return d->fd < 0 ? -errno : 0;
        }
        d->path = realpath(path, NULL);     /* a link is kept: the file it names is replaced */
    } else {
        d->path = strdup(path);
    }
    return d->path ? create_hidden(d) : -errno;
}

static int start_gzip(struct ct_output_drain *d)
{
    sigset_t all, before;
    int r;

    d->gzip = ct_gzip_new();
    if (!d->gzip)
        return -ENOMEM;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);    /* signals are for the main thread */
    r = pthread_create(&d->thread, NULL, pack_buffers, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    d->threaded = r == 0;
    return -r;
}

static void drain_free(struct ct_output_drain *d)
{
    if (d->fd >= 0 && !d->standard)
        close(d->fd);
    if (d->temporary)
        unlink(d->temporary);
    for (int i = 0; i < BUFFERS; i++) {
        free(d->buffer[i]);
        free(d->repeats[i]);
    }
    ct_gzip_free(d->gzip);
    free(d->temporary);
    free(d->path);
    free(d);
}

int ct_output_open(struct ct_output *ret, const char *path, bool gzip, struct ct_error *err)
{
    struct ct_output_drain *d = calloc(1, sizeof *d);
    int r = -ENOMEM;

    if (!d)
        return ct_error_at(err, -ENOMEM, 0, "no memory");
    d->fd = -1;
    for (int i = 0; i < (gzip ? BUFFERS : 1); i++)
        if (!(d->buffer[i] = malloc(BUFFER_SIZE)) ||
            (gzip && !(d->repeats[i] = malloc(REPEATS * sizeof *d->repeats[i]))))
            goto fail;
    r = open_file(d, path);
    if (r == 0 && gzip)
        r = start_gzip(d);
    if (r < 0)
        goto fail;
    *ret = (struct ct_output){ .drain = d };
    begin_buffer(ret);
    return 0;
fail:
    drain_free(d);
    return ct_error_at(err, r, 0, "cannot write %s: %s", path, strerror(-r));
}

/* Ends the thread; with `error`, what waits for it is dropped. */
static void stop_gzip(struct ct_output_drain *d, int error)
{
    pthread_mutex_lock(&d->lock);
    if (d->error == 0)
        d->error = error;
    d->ended = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    d->threaded = false;
}

/* Gives the whole file its name; an older file of that name goes. */
static int name_file(struct ct_output_drain *d)
{
    char self[NAME_ROOM];
    char *name;
    int r = 0;

    if (!d->path)
        return 0;
    if (!d->temporary) {
        size_t size = strlen(d->path) + NAME_ROOM;

        name = malloc(size);
        if (!name)
            return -ENOMEM;
        snprintf(self, sizeof self, "/proc/self/fd/%d", d->fd);
        snprintf(name, size, "%s.%ld.tmp", d->path, (long)getpid());
        unlink(name);
        if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0) {
            r = -errno;
            free(name);
            return r;
        }
        d->temporary = name;
    }
    if (rename(d->temporary, d->path) < 0)
        return -errno;
    free(d->temporary);
    d->temporary = NULL;
    return 0;
}

int ct_output_commit(struct ct_output *out, struct ct_error *err)
{
    struct ct_output_drain *d = out->drain;
    int r;

    ct_output_flush(out);
    if (d->threaded) {
        stop_gzip(d, 0);
        if (d->error == 0)
            d->error = ct_gzip_end(d->gzip, write_packed, d);
    }
    r = d->error;
    if (r == 0)
        r = name_file(d);
    if (r < 0)
        ct_error_fill(err, r, 0, "cannot write %s: %s", d->path ? d->path : "the output", strerror(-r));
    drain_free(d);
    *out = (struct ct_output){ 0 };
    return r;
}

void ct_output_abort(struct ct_output *out)
{
    struct ct_output_drain *d = out->drain;

    if (!d)
        return;
    if (d->threaded)
        stop_gzip(d, -ECANCELED);
    drain_free(d);
    *out = (struct ct_output){ 0 };
}
