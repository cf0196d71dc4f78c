/* Requests that came to the program's own web server: each comes by a socket, and a loop of their own sends the answer there. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/late.h"
#include "serve/now.h"
#include "service/asked.h"
#include "service/state.h"

enum { ARRIVES_MS = 5000, FINISH_MS = 5000, HEADERS = 16 };

/* One of them, as long as its answer is under way.  What it holds may come from anybody's memory. */
struct mounted {
    struct ct_service *service;
    struct ct_serve_call call;
    const char *hosts[CT_ASKED_HOSTS];
    struct ct_endpoints endpoints;
    char *bytes;                        /* its texts and its body */
};

/* --- what came --- */

static bool receive(int fd, void *to, size_t size, int64_t until)
{
    struct pollfd here = { .fd = fd, .events = POLLIN };

    for (size_t at = 0; at < size;) {
        int64_t left = until - ct_serve_now();
        ssize_t n;

        if (left <= 0 || poll(&here, 1, (int)left) < 0)
            return false;
        n = recv(fd, (char *)to + at, size - at, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        at += n < 0 ? 0 : (size_t)n;
    }
    return true;
}

/* False when it does not come, or is none. */
static bool receive_call(struct mounted *m, int fd)
{
    int64_t until = ct_serve_now() + ARRIVES_MS;
    struct ct_serve_call *c = &m->call;

    if (!receive(fd, c, sizeof *c, until) || c->http.size != sizeof c->http || c->text_size == 0 ||
        c->text_size > CT_SERVE_CALL_TEXT || c->body_size > CT_SERVE_CALL_BODY)
        return false;
    m->bytes = malloc((size_t)c->text_size + c->body_size + 1);
    if (!m->bytes || !receive(fd, m->bytes, (size_t)c->text_size + c->body_size, until))
        return false;
    m->bytes[c->text_size - 1] = m->bytes[c->text_size + c->body_size] = '\0';
    c->method[sizeof c->method - 1] = c->peer[sizeof c->peer - 1] = '\0';
    ct_asked_end_texts(&c->http);
    return true;
}

/* The next of its texts; behind the last one, "". */
static const char *next_text(const char **at, const char *end)
{
    const char *text = *at < end ? *at : "";

    *at += *at < end ? strlen(text) + 1 : 0;
    return text;
}

/* As ct_request_parse(). */
static int parse(struct mounted *m, struct ct_request *ret, const char **ret_why)
{
    const char *at = m->bytes, *end = m->bytes + m->call.text_size;
    struct ct_request_header headers[HEADERS];
    struct ct_request_raw raw = { .method = m->call.method, .version = "1.1", .headers = headers };
    int status;

    raw.target = next_text(&at, end);
    raw.query = next_text(&at, end);
    while (at < end && raw.header_count < HEADERS) {
        headers[raw.header_count].name = next_text(&at, end);
        headers[raw.header_count++].value = next_text(&at, end);
    }
    status = ct_request_parse(&raw, ret, ret_why);
    ret->body = end;
    ret->body_size = m->call.body_size;
    return status;
}

/* --- the answer --- */

static void forget(void *mounted)
{
    struct mounted *m = mounted;

    pthread_mutex_lock(&m->service->lock);
    m->service->mounted--;
    pthread_mutex_unlock(&m->service->lock);
    free(m->bytes);
    free(m);
}

/* As in serve/server.c: whoever has just had all of its answer may be counted yet. */
static bool is_too_many(struct ct_service *s)
{
    static const struct timespec a_moment = { 0, 10000000 };

    for (unsigned looks = 0;; looks++) {
        bool too_many;

        pthread_mutex_lock(&s->lock);
        too_many = s->mounted > s->clients;
        pthread_mutex_unlock(&s->lock);
        if (!too_many || looks == 5)
            return too_many;
        nanosleep(&a_moment, NULL);
    }
}

/* Who may ask, before it is looked at what for; then the endpoint. */
static void answer(struct mounted *m, pid_t pid, struct ct_late *late, struct ct_request *request)
{
    const struct ct_serve_http *http = &m->call.http;
    const char *why = "", *token = http->token[0] ? http->token : NULL;
    int status = is_too_many(m->service) ? 503 : 0;

    *request = (struct ct_request){ 0 };
    m->endpoints = (struct ct_endpoints){
        .prefix = http->prefix[0] ? http->prefix : CT_SERVE_PREFIX, .host = &m->service->host, .pid = pid,
        .table = &ct_debug_endpoints,
        .guard = { .token = token, .hosts = m->hosts, .host_count = ct_asked_hosts(http, m->hosts) },
    };
    if (status)
        why = "too many clients: try again later";
    else if (!ct_asked_is_prefix(m->endpoints.prefix))
        status = 500, why = "the prefix begins with /, does not end in one, and is plain";
    else
        status = ct_guard_peer(m->call.peer, token, http->insecure != 0, &why);
    if (!status)
        status = parse(m, request, &why);
    if (status)
        ct_endpoints_refuse(&m->endpoints, &late->exchange, status, why);
    else
        ct_endpoints_answer(&m->endpoints, request, &late->exchange);
}

/* Given: to the loop, which is started when it is first needed. */
static void give(struct ct_service *s, struct ct_late *late)
{
    bool given;

    pthread_mutex_lock(&s->lock);
    given = !s->ending && (s->loop || ct_loop_start(NULL, &s->loop) == 0);
    if (given)
        ct_loop_give(s->loop, late);
    pthread_mutex_unlock(&s->lock);
    if (!given)
        ct_late_free(late);
}

static void send_answer(struct mounted *m, struct ct_late *late, const struct ct_request *request)
{
    int64_t now = ct_serve_now();
    int r = 0;

    late->done = forget;
    late->user = m;
    late->exchange.request = NULL;
    if (late->exchange.kind == CT_ANSWER_NOW)
        ct_late_whole(late, request->method == CT_METHOD_HEAD, false, now);
    else
        r = ct_late_begin(late, true, now);
    if (r < 0)
        ct_late_free(late);
    else
        give(m->service, late);
}

void ct_service_mounted(struct ct_service *s, pid_t pid, int fd)
{
    struct mounted *m = calloc(1, sizeof *m);
    struct ct_late *late = m ? ct_late_new() : NULL;
    struct ct_request request;

    if (!late || !receive_call(m, fd)) {
        close(fd);
        free(late);
        if (m)
            free(m->bytes);
        free(m);
        return;
    }
    m->service = s;
    late->fd = fd;
    pthread_mutex_lock(&s->lock);
    s->mounted++;
    pthread_mutex_unlock(&s->lock);
    answer(m, pid, late, &request);
    send_answer(m, late, &request);
}

void ct_service_mounted_fini(struct ct_service *s)
{
    struct ct_loop *loop;

    pthread_mutex_lock(&s->lock);
    s->ending = true;
    loop = s->loop;
    pthread_mutex_unlock(&s->lock);
    if (loop)
        ct_loop_finish(loop, FINISH_MS);
    ct_loop_stop(loop);
}
