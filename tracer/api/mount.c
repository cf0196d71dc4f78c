/* trace_http_handle(): a request of the program's own web server goes to whoever serves, by a socket; the answer to the writer. */
#include "api/serve.h"

#include "ctrace.h"

#include <features.h>
#undef __EXCEPTIONS                     /* else pthread.h's cleanup takes libgcc_s, and every program would load that */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/answer.h"
#include "api/door.h"
#include "format/control.h"
#include "record/control_ask.h"

#define TRACE_API __attribute__((visibility("default")))

enum { LOOK_MS = 20, LATER_MS = 1000, LOOKS_UNTIL_LATER = 100, LOOKS_UNTIL_ASKED = 50, AT_ONCE = 64 << 10 };

/* One call; a thread that is cancelled in its writer leaves nothing behind. */
struct call {
    const struct trace_http_request *request;
    struct ct_serve_call head;
    char *texts;
    char *piece;                        /* of the answer, AT_ONCE bytes */
    int fd;                             /* our end */
    ino_t inode;                        /* its: the program may have closed the number and have something else there */
    unsigned looks;
    struct api_answer answer;
};

/* --- the request --- */

static const char *query_of(const struct trace_http_request *r)
{
    const char *mark = strchr(r->target, '?');

    return r->query ? r->query : mark ? mark + 1 : "";
}

/* Whether it is for us: below the prefix, or /metrics. */
static int is_ours(const struct call *c)
{
    const char *prefix = c->head.http.prefix[0] ? c->head.http.prefix : "/debug/pprof", *path = c->request->target;
    size_t size = strcspn(path, "?"), length = strlen(prefix);

    return (size == 8 && memcmp(path, "/metrics", 8) == 0) ||
           (size >= length && memcmp(path, prefix, length) == 0 && (size == length || path[length] == '/'));
}

/* What the guard looks at; the rest is between the program's server and its client. */
static int is_looked_at(const char *name)
{
    static const char *const names[] = { "Host", "Origin", "Sec-Fetch-Site", "Authorization" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* False when there is no room. */
static int put_text(struct call *c, const char *text, size_t size)
{
    size_t at = c->head.text_size;

    if (size >= CT_SERVE_CALL_TEXT - at)
        return 0;
    memcpy(c->texts + at, text, size);
    c->texts[at + size] = '\0';
    c->head.text_size += (uint32_t)size + 1;
    return 1;
}

static int put_texts(struct call *c)
{
    const struct trace_http_request *r = c->request;
    const char *query = query_of(r);
    int good = put_text(c, r->target, strcspn(r->target, "?")) && put_text(c, query, strlen(query));

    for (size_t i = 0; i < r->header_count && good; i++) {
        const struct trace_http_header *h = &r->headers[i];

        if (h->value && is_looked_at(h->name))
            good = put_text(c, h->name, strlen(h->name)) && put_text(c, h->value, strlen(h->value));
    }
    return good;
}

/* A struct of an older program is shorter than ours. */
static int take(const struct trace_http_request *given, struct trace_http_request *ret, struct call *c)
{
    size_t least = offsetof(struct trace_http_request, peer);
    int r;

    *ret = (struct trace_http_request){ 0 };
    if (!given || given->size < least || given->size > 4096)
        return -EINVAL;
    memcpy(ret, given, given->size < sizeof *ret ? given->size : sizeof *ret);
    if (!ret->method || !ret->target || (ret->header_count && !ret->headers) || (ret->body_size && !ret->body))
        return -EINVAL;
    c->request = ret;
    r = api_serve_texts(ret->options, &c->head.http);
    snprintf(c->head.method, sizeof c->head.method, "%s", ret->method);
    snprintf(c->head.peer, sizeof c->head.peer, "%s", ret->peer ? ret->peer : "");
    c->answer.head_only = strcmp(ret->method, "HEAD") == 0;
    return r;
}

/* --- the way there --- */

static int is_still_ours(const struct call *c)
{
    struct stat s;

    return c->fd >= 0 && fstat(c->fd, &s) == 0 && S_ISSOCK(s.st_mode) && s.st_ino == c->inode;
}

static void leave(void *call)
{
    struct call *c = call;

    if (is_still_ours(c)) {
        syscall(SYS_shutdown, c->fd, SHUT_RDWR);    /* a child that was forked meanwhile may have it, too */
        syscall(SYS_close, c->fd);
    }
    free(c->texts);
    free(c->piece);
}

/*
 * Waits for the socket: 0, or -ENOTCONN when nobody is there any more.  That is looked for, too: a copy of the socket's
 * other end, in a child that was forked meanwhile, keeps its end from being seen.  And what only a thread of the program
 * can tell of its allocator, this one can.
 */
static int await(struct call *c, short events)
{
    struct pollfd one = { .fd = c->fd, .events = events };
    void *volatile block;               /* or no call would be left of it */

    for (;; c->looks++) {
        int ms = c->looks < LOOKS_UNTIL_LATER ? LOOK_MS : LATER_MS;
        struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
        long n = syscall(SYS_ppoll, &one, 1, &wait, NULL, 8);

        if (n > 0)
            return is_still_ours(c) ? 0 : -ENOTCONN;
        if (n < 0 && errno != EINTR)
            return -ENOTCONN;
        free(block = malloc(1));
        if ((ms == LATER_MS || c->looks % LOOKS_UNTIL_ASKED == LOOKS_UNTIL_ASKED - 1) &&
            ct_door->ask(CT_ASK_LISTENED, -1, NULL) < 0)
            return -ENOTCONN;
    }
}

static int send_all(struct call *c, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        long n = syscall(SYS_sendto, c->fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
        int r = n < 0 ? (errno == EAGAIN ? await(c, POLLOUT) : errno == EINTR ? 0 : -ENOTCONN) : 0;

        if (r < 0)
            return r;
        at += n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

/* Hands the other end to who serves, and says by ours what is asked for. */
static int ask(struct call *c)
{
    const struct ct_control_profile order = { .what = CT_CONTROL_PROFILE_HTTP };
    struct stat s = { 0 };
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    fstat(pair[0], &s);
    c->fd = pair[0];
    c->inode = s.st_ino;
    r = send_all(c, &order, sizeof order);
    if (r == 0)
        r = ct_door->ask(CT_ASK_PROFILE, pair[1], NULL);
    syscall(SYS_close, pair[1]);
    if (r == 0)
        r = send_all(c, &c->head, sizeof c->head);
    if (r == 0)
        r = send_all(c, c->texts, c->head.text_size);
    return r == 0 ? send_all(c, c->request->body, c->head.body_size) : r;
}

/* --- the way back --- */

/* 0 when the whole answer is with the writer. */
static int relay(struct call *c)
{
    struct api_answer *a = &c->answer;
    int r = 0;

    while (r == 0 && a->state != API_ANSWER_WHOLE) {
        long n;

        r = await(c, POLLIN);
        if (r < 0)
            return r;
        n = syscall(SYS_recvfrom, c->fd, c->piece, AT_ONCE, MSG_DONTWAIT, NULL, NULL);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return -ENOTCONN;
        r = n > 0 ? api_answer_take(a, c->piece, (size_t)n) : 0;
    }
    return r;
}

/* What nobody else can say any more, this library says, unless the writer has had a head. */
static int end(struct call *c, int r, const char *why)
{
    struct ct_control_profile_answer refused;

    if (r == 0 || r == -ECANCELED)
        return r;
    if (c->answer.state != API_ANSWER_HEAD)
        return -EPIPE;
    if (c->answer.size == sizeof refused) {         /* who records makes no profiles */
        memcpy(&refused, c->answer.head, sizeof refused);
        r = refused.result < 0 ? refused.result : r;
    }
    if (!why || !*why)
        why = r == -ENOTCONN || r == -ESRCH ? "nobody serves this process any more" : strerror(-r);
    return api_answer_refuse(c->answer.writer, c->answer.head_only, 503, why);
}

static int refuse(struct call *c, int status, const char *why)
{
    return api_answer_refuse(c->answer.writer, c->answer.head_only, status, why);
}

static int handle(struct call *c)
{
    struct ct_serve_http maker;
    int r;

    if (getauxval(AT_SECURE))
        return refuse(c, 503, "a program that runs with more rights than who started it is never served");
    c->texts = malloc(CT_SERVE_CALL_TEXT);
    c->piece = malloc(AT_ONCE);
    if (!c->texts || !c->piece)
        return end(c, -ENOMEM, NULL);
    if (!put_texts(c))
        return refuse(c, 413, "the request is too large");
    if (c->request->body_size > CT_SERVE_CALL_BODY)
        return refuse(c, 413, "the body is too large");
    c->head.body_size = (uint32_t)c->request->body_size;
    r = api_serve_maker(&maker, true);
    if (r < 0)
        return end(c, r, maker.trouble);
    r = ask(c);
    if (r == 0)
        r = relay(c);
    return end(c, r, NULL);
}

/* --- the call --- */

static int note_status(void *status, int told, int64_t length, const struct trace_http_header *headers, size_t count)
{
    *(int *)status = told;
    return 0;
}

static int ignore(void *status, const void *bytes, size_t size)
{
    return 0;
}

/* Who records the program makes no profiles before it is asked: for next to nothing. */
static int ask_elsewhere(void)
{
    static const struct trace_http_header host = { "Host", "localhost" };
    static const struct trace_http_request request = {
        .size = sizeof request, .method = "HEAD", .target = "/debug/pprof", .headers = &host, .header_count = 1,
    };
    int status = 0;
    const struct trace_http_writer writer = { sizeof writer, &status, note_status, ignore };
    int r = trace_http_handle(&request, &writer);

    return r == 0 && status == 503 ? -ENOTCONN : r;
}

/* No client asks yet: what profiles are made of is recorded from now on. */
static int begin(void)
{
    struct ct_serve_http maker = { .size = sizeof maker };
    int r = getauxval(AT_SECURE) ? -EPERM : api_serve_maker(&maker, false);

    if (r == 0 && !api_served())
        r = ask_elsewhere();
    if (r < 0)
        fprintf(stderr, "ctrace: the program's own web server cannot serve profiles: %s\n",
                maker.trouble[0] ? maker.trouble : strerror(-r));
    return r;
}

static int answer(struct call *c, const struct trace_http_request *request)
{
    struct trace_http_request r;
    int e = take(request, &r, c);

    if (e < 0)
        return e;
    return is_ours(c) ? handle(c) : -ENOENT;
}

TRACE_API int trace_http_handle(const struct trace_http_request *request, const struct trace_http_writer *writer)
{
    struct call c = { .fd = -1, .answer.writer = writer };
    int r;

    if (!ct_door)
        return -ENOSYS;
    if (!request && !writer)
        return begin();
    if (!writer || writer->size < sizeof *writer || !writer->head || !writer->bytes)
        return -EINVAL;
    pthread_cleanup_push(leave, &c);
    r = answer(&c, request);
    pthread_cleanup_pop(1);
    return r;
}
