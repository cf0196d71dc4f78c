/*
 * A trace for an HTTP client: segments become one stream.  A thread of its own names each segment's addresses and sends it;
 * when the client does not take them in time the oldest are left out, whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "drain/worker.h"
#include "format/file.h"
#include "serve/reply.h"
#include "service/state.h"

enum { QUEUE = 8 };

struct stream {
    struct ct_service *service;
    struct ct_served *one;
    struct ct_segments segments;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned users;                     /* the thread that sends, and the server: the last one frees it */
    int queue[QUEUE];                   /* segments to be sent */
    unsigned waiting;
    bool over;                          /* the last one is in the queue, or was */
    bool stop;                          /* the client has gone */
    struct timespec until;
    int out;                            /* what the server reads the other end of */
    bool begun;                         /* the file's head was sent */
};

/* On the thread that drains. */
static void take(void *context, int fd, bool last)
{
    struct stream *s = context;

    pthread_mutex_lock(&s->lock);
    if (s->waiting == QUEUE) {
        close(s->queue[0]);
        for (unsigned i = 1; i < QUEUE; i++)
            s->queue[i - 1] = s->queue[i];
        s->waiting--;
    }
    s->queue[s->waiting++] = fd;
    s->over |= last;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static bool send_all(struct stream *s, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(s->out, bytes, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static bool send_segment(struct stream *s, int fd)
{
    off_t at = s->begun ? (off_t)sizeof(struct ct_file_head) : 0;
    static const size_t at_once = 64 << 10;
    char *buffer = malloc(at_once);
    bool good = buffer != NULL;
    ssize_t n;

    ct_namer_trace(&s->service->namer, fd);
    while (good && (n = pread(fd, buffer, at_once, at)) > 0) {
        good = send_all(s, buffer, (size_t)n);
        at += n;
        s->begun = true;
    }
    free(buffer);
    return good;
}

/*
 * The next segment, or -1 after the last, and whether anybody still wants it.  When time is up the recording for us ends,
 * which brings the last one.
 */
static int next(struct stream *s, bool *ret_wanted)
{
    bool told = false;
    int fd = -1;

    pthread_mutex_lock(&s->lock);
    while (s->waiting == 0 && !s->over) {
        if (told) {
            pthread_cond_wait(&s->changed, &s->lock);
        } else if (s->stop || pthread_cond_timedwait(&s->changed, &s->lock, &s->until) == ETIMEDOUT) {
            told = true;
            pthread_mutex_unlock(&s->lock);
            ct_service_unwatch(s->service, s->one->pid, &s->segments);
            pthread_mutex_lock(&s->lock);
        }
    }
    if (s->waiting) {
        fd = s->queue[0];
        s->waiting--;
        for (unsigned i = 0; i < s->waiting; i++)
            s->queue[i] = s->queue[i + 1];
    }
    *ret_wanted = !s->stop;
    pthread_mutex_unlock(&s->lock);
    return fd;
}

static bool time_is_up(const struct stream *s)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > s->until.tv_sec || (now.tv_sec == s->until.tv_sec && now.tv_nsec >= s->until.tv_nsec);
}

static void free_stream(struct stream *s)
{
    while (s->waiting)
        close(s->queue[--s->waiting]);
    close(s->out);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    ct_served_put(s->service, s->one);
    pthread_mutex_lock(&s->service->lock);
    s->service->streams--;
    pthread_cond_broadcast(&s->service->streamed);
    pthread_mutex_unlock(&s->service->lock);
    free(s);
}

static void leave(struct stream *s)
{
    bool last;

    pthread_mutex_lock(&s->lock);
    last = --s->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (last)
        free_stream(s);
}

static void *run(void *context)
{
    struct stream *s = context;
    bool good = true, wanted;
    int fd;

    while ((fd = next(s, &wanted)) >= 0) {
        good = good && wanted && send_segment(s, fd);
        close(fd);
        if (!good || time_is_up(s))
            ct_service_unwatch(s->service, s->one->pid, &s->segments);
    }
    shutdown(s->out, SHUT_RDWR);
    leave(s);
    return NULL;
}

static int start(struct stream *s)
{
    pthread_t thread;
    int r = ct_worker_start(&thread, 0, run, s);

    if (r == 0)
        pthread_detach(thread);
    return r;
}

static void set_end(struct stream *s, double seconds)
{
    pthread_condattr_t clock;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &clock);
    pthread_condattr_destroy(&clock);
    clock_gettime(CLOCK_MONOTONIC, &s->until);
    s->until.tv_sec += (time_t)seconds;
    s->until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (s->until.tv_nsec >= 1000000000) {
        s->until.tv_nsec -= 1000000000;
        s->until.tv_sec++;
    }
}

int ct_service_trace_open(void *service, const struct ct_trace_request *r, struct ct_stream *ret, struct ct_reply *reply)
{
    struct ct_service *all = service;
    struct ct_served *one = ct_served_get(all, r->pid);
    struct stream *s = one ? calloc(1, sizeof *s) : NULL;
    int pair[2] = { -1, -1 }, e = one ? -ENOMEM : -ESRCH;

    if (s)
        e = ct_segments_init(&s->segments, r->categories & all->categories, take, s);
    if (e == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        e = -errno;
        ct_segments_fini(&s->segments);
    }
    if (e < 0) {
        free(s);
        ct_served_put(all, one);
        return e;
    }
    s->service = all;
    s->one = one;
    s->users = 2;
    pthread_mutex_lock(&all->lock);
    all->streams++;
    pthread_mutex_unlock(&all->lock);
    s->out = pair[1];
    pthread_mutex_init(&s->lock, NULL);
    set_end(s, r->seconds);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    if (!ct_service_watch(all, one->pid, &s->segments)) {
        ct_segments_end(&s->segments);
        ct_reply_fault(reply, 500, "Could not enable tracing: the program has ended");
        e = -ESRCH;
    } else {
        e = start(s);
        if (e < 0)
            ct_service_unwatch(all, one->pid, &s->segments);
    }
    if (e < 0) {
        close(pair[0]);
        free_stream(s);
        return e;
    }
    *ret = (struct ct_stream){ .fd = pair[0], .user = s };
    return 0;
}

void ct_service_trace_close(void *service, struct ct_stream *stream)
{
    struct stream *s = stream->user;

    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    close(stream->fd);                  /* who sends gets EPIPE */
    leave(s);
}
