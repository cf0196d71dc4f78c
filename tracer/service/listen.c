/* Where the service listens, and what it needs to answer: brought when the first client knocks, or at once. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drain/worker.h"
#include "service/state.h"

enum { LOOK_MS = 200 };

static const char missing[] = CT_ANSWER_LIBRARY ", or a library that it needs, is missing";

bool ct_service_ready(struct ct_service *s)
{
    const struct ct_service_tools *t;
    bool ready;

    pthread_mutex_lock(&s->bringing);
    ready = s->tools != NULL;
    pthread_mutex_unlock(&s->bringing);
    if (ready)
        return true;
    t = s->bring();                     /* by the loader, which may be waiting for who waits for us: not under a lock */
    pthread_mutex_lock(&s->bringing);
    if (!s->tools && t && t->version == CT_SERVE_VERSION && t->size == sizeof *s && t->begin(s) == 0)
        s->tools = t;
    ready = s->tools != NULL;
    pthread_mutex_unlock(&s->bringing);
    return ready;
}

static int open_up(struct ct_service *s, struct ct_error *err)
{
    return ct_service_ready(s) ? s->tools->listen(s, err) : ct_error_at(err, -ELIBACC, 0, "%s", missing);
}

/* --- the first client --- */

/* Nothing else could be said to them. */
static void turn_away(int client, const char *why)
{
    char answer[512];
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 503 Service Unavailable\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\nX-Go-Pprof: 1\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s\n", strlen(why) + 1, why);
    struct pollfd asks = { .fd = client, .events = POLLIN };

    if (poll(&asks, 1, LOOK_MS) == 1 && recv(client, (char[4096]){ 0 }, 4096, MSG_DONTWAIT) > 0 &&
        send(client, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n)
        shutdown(client, SHUT_WR);
    close(client);
}

static void turn_all_away(struct ct_service *s, const char *why)
{
    struct pollfd knocks = { .fd = s->listener.fd, .events = POLLIN };

    while (!atomic_load_explicit(&s->stopping, memory_order_relaxed)) {
        int client = poll(&knocks, 1, LOOK_MS) == 1 ? accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC) : -1;

        if (client >= 0)
            turn_away(client, why);
    }
}

static void *open_late(void *service)
{
    struct ct_service *s = service;
    struct ct_error err = { 0 };

    if (open_up(s, &err) < 0)
        turn_all_away(s, err.text);
    return NULL;
}

void ct_service_hear(struct ct_service *s)
{
    struct pollfd knocks = { .fd = s->opening ? -1 : s->listener.fd, .events = POLLIN };

    ct_errands_run(&s->errands);
    if (s->patient && knocks.fd >= 0 && poll(&knocks, 1, 0) == 1)
        s->opening = ct_worker_start(&s->opener, 0, open_late, s) == 0;
}

/* --- beginning and end --- */

static int wait_for_knock(struct ct_service *s)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = NULL };

    return epoll_ctl(s->follow->epoll, EPOLL_CTL_ADD, s->listener.fd, &event) < 0 ? -errno : 0;
}

int ct_service_listen(struct ct_service *s, const struct ct_service_options *o, struct ct_error *err)
{
    int r;

    if (s->place[0])
        return ct_error_at(err, -EALREADY, 0, "it is served already at %.100s", s->place);
    r = ct_listener_open(o->address, o->token, o->insecure, &s->listener, err);
    if (r < 0)
        return r;
    s->listening = *o;
    if (s->patient)
        r = wait_for_knock(s);
    else
        r = open_up(s, err);
    if (r < 0) {
        ct_listener_close(&s->listener);
        return r;
    }
    snprintf(s->place, sizeof s->place, "%s:%u%s", s->listener.at.ip, s->listener.at.port, o->prefix ? o->prefix : CT_SERVE_PREFIX);
    if (s->follow->session)
        ct_session_note_place(s->follow->session, s->place);    /* for `ctrace list`; it can do without */
    return 0;
}

const char *ct_service_place(const struct ct_service *s)
{
    return s->place[0] ? s->place : NULL;
}

void ct_service_unlisten(struct ct_service *s)
{
    atomic_store_explicit(&s->stopping, true, memory_order_relaxed);
    if (s->opening)
        pthread_join(s->opener, NULL);
    ct_listener_close(&s->listener);
}
