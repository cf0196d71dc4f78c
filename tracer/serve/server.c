/* The server: a table of endpoints on a port, through civetweb.  No type of civetweb leaves this file. */
#include "serve/server.h"

#include <civetweb.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "serve/guest.h"
#include "serve/now.h"
#include "serve/socket.h"

enum {
    SPARE = 4,                      /* workers that tell clients too many so */
    REQUEST_MS = 5000,              /* for the whole request to arrive */
    IDLE_MS = 1000,                 /* until the next request on the same connection */
    FINISH_MS = 5000,               /* for replies to be sent when all is over */
    HEAD_SIZE = 16 << 10,           /* of a request, without its body */
    MASTER = 0,                     /* civetweb's number for the thread that accepts */
};

struct ct_server {
    struct mg_context *web;
    struct ct_loop *loop;
    struct ct_endpoints endpoints;
    void (*begin)(void);
    unsigned clients;
    int patience_ms;
    atomic_uint connected;
    sem_t started;
    struct sigaction sigpipe;       /* as the program has it */
    struct ct_listener *listener;   /* while it starts */
    int taken;                      /* what came of it */
    char address[32];
    unsigned port;
    unsigned workers;               /* that there are; less than wanted when no more threads could be made */
    char complaint[160];            /* the web server's last */
};

static struct ct_server *server_of(const struct mg_connection *conn)
{
    return mg_get_user_data(mg_get_context(conn));
}

/* ---- requests ---- */

/* Reads the body.  NULL when it did not come whole in time. */
static char *read_body(struct ct_server *s, struct mg_connection *conn, const struct ct_guest *guest, size_t size)
{
    struct ct_watch watch = { .fd = guest->fd, .deadline_ms = ct_serve_now() + REQUEST_MS };
    const char *expect = mg_get_header(conn, "Expect");
    char *body = malloc(size + 1);
    size_t n = 0;
    int r = 1;

    if (!body)
        return NULL;
    if (expect && strcasecmp(expect, "100-continue") == 0)
        mg_write(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    ct_loop_watch(s->loop, &watch);
    while (n < size && r > 0) {
        r = mg_read(conn, body + n, size - n);
        n += r > 0 ? (size_t)r : 0;
    }
    ct_loop_unwatch(s->loop, &watch);
    if (n < size) {
        free(body);
        return NULL;
    }
    body[n] = 0;
    return body;
}

static int take_request(struct mg_connection *conn, struct ct_request *ret, const char **ret_why)
{
    const struct mg_request_info *info = mg_get_request_info(conn);
    struct ct_request_header headers[MG_MAX_HEADERS];
    struct ct_request_raw raw = { info->request_method, info->request_uri, info->query_string, info->http_version,
                                  headers, 0 };

    for (; raw.header_count < (size_t)info->num_headers; raw.header_count++)
        headers[raw.header_count] = (struct ct_request_header){ info->http_headers[raw.header_count].name,
                                                                info->http_headers[raw.header_count].value };
    return ct_request_parse(&raw, ret, ret_why);
}

static int answer(struct ct_server *s, struct mg_connection *conn, struct ct_guest *guest, struct ct_request *request)
{
    struct ct_late *late = ct_late_new();
    bool keep = request->keep_alive;
    char *body = NULL;
    int status;

    if (!late) {
        mg_disable_connection_keep_alive(conn);
        return 503;
    }
    if (ct_endpoints_answer(&s->endpoints, request, &late->exchange)) {
        request->body = body = read_body(s, conn, guest, request->body_size);
        keep = keep && body;
        if (body)
            ct_endpoints_answer(&s->endpoints, request, &late->exchange);
        else
            ct_endpoints_refuse(&s->endpoints, &late->exchange, 408, "the body did not come in time");
    } else if (request->body_size) {
        keep = false;               /* nobody has read it */
    }
    status = late->exchange.reply.status;
    if (!ct_guest_answer(guest, late, request, keep))
        mg_disable_connection_keep_alive(conn);
    free(body);
    return status;
}

/* The client of this connection, its socket known; NULL when it has gone. */
static struct ct_guest *guest_of(const struct mg_connection *conn)
{
    struct ct_guest *guest = mg_get_user_connection_data(conn);
    const struct mg_request_info *info = mg_get_request_info(conn);

    if (!guest || guest->given || !info)
        return NULL;
    if (guest->fd < 0)
        guest->fd = ct_socket_find(info->remote_addr, (unsigned)info->remote_port, (unsigned)info->server_port);
    return guest->fd < 0 ? NULL : guest;
}

/*
 * Whether the client is one too many: those that came before it are served, whoever asks first.  One who has had all of its
 * reply may be counted for a moment yet, and be the one that asks here: so for another moment it is waited whether one leaves.
 */
static bool is_too_many(struct ct_server *s, struct ct_guest *guest)
{
    static const struct timespec a_moment = { 0, 10000000 };

    for (unsigned looks = 0; guest->surplus && atomic_load_explicit(&s->connected, memory_order_relaxed) > s->clients; looks++) {
        if (looks == 5)
            return true;
        nanosleep(&a_moment, NULL);
    }
    guest->surplus = false;
    return false;
}

/* Every request is answered here: what civetweb would do with a path itself is not safe (CVE-2025-55763). */
static int begin_request(struct mg_connection *conn)
{
    struct ct_guest *guest = guest_of(conn);
    struct ct_server *s = server_of(conn);
    struct ct_request request;
    const char *why = "";
    int status;

    if (!guest) {
        mg_disable_connection_keep_alive(conn);
        return 503;
    }
    status = take_request(conn, &request, &why);
    if (!status && is_too_many(s, guest)) {
        status = 503;
        why = "too many clients: try again later";
    }
    if (status) {
        ct_guest_refuse(guest, status, why);
        mg_disable_connection_keep_alive(conn);
    } else {
        request.client = guest->fd;
        status = answer(s, conn, guest, &request);
    }
    if (!guest->given) {
        guest->taken = ct_socket_taken(guest->fd);
        guest->since_ms = ct_serve_now();
    }
    return status;
}

/* civetweb reads no header of a request whose method it has never heard of, so that nothing else of it can be judged. */
static bool has_strange_method(const struct mg_connection *conn)
{
    const struct mg_request_info *info = mg_get_request_info(conn);
    struct ct_request_raw line = { .method = info->request_method, .version = info->http_version };

    return info->num_headers == 0 && ct_request_strange(&line);
}

/* A request that civetweb could not read.  It says 400 also to what came too slowly, was too much, or has another method. */
static int http_error(struct mg_connection *conn, int status, const char *text)
{
    struct ct_guest *guest = guest_of(conn);

    if (!guest)
        return 0;
    guest->refused = true;
    if (status == 400 && ct_serve_now() - guest->since_ms >= REQUEST_MS)
        ct_guest_refuse(guest, 408, "the request did not come in time");
    else if (status == 400 && ct_socket_taken(guest->fd) - guest->taken >= HEAD_SIZE)
        ct_guest_refuse(guest, 413, "the request is too large");
    else if (status == 400 && has_strange_method(conn))
        ct_guest_refuse(guest, 405, "");
    else
        ct_guest_refuse(guest, status, "malformed request");
    return 0;
}

/*
 * civetweb reads these and closes the connection without a word: a target that is no path of ours.  Of its own requests each
 * is answered before, and what it could not read as well.
 */
static void answer_foreign(const struct mg_connection *conn)
{
    const struct mg_request_info *info = mg_get_request_info(conn);
    struct ct_guest *guest = guest_of(conn);

    if (!guest || guest->refused || !info->request_method || !info->request_uri || info->local_uri_raw)
        return;
    if (strcmp(info->request_uri, "*") == 0 && strcmp(info->request_method, "GET") != 0)
        ct_guest_refuse(guest, 405, "");
    else
        ct_guest_refuse(guest, 400, "the target is no path of this server");
}

/* ---- connections ---- */

static void client_left(void *server)
{
    struct ct_server *s = server;

    atomic_fetch_sub_explicit(&s->connected, 1, memory_order_relaxed);     /* a number to compare, orders nothing */
}

static int init_connection(const struct mg_connection *conn, void **ret)
{
    struct ct_server *s = server_of(conn);
    struct ct_guest *guest = calloc(1, sizeof *guest);

    *ret = guest;
    if (!guest)
        return 0;
    *guest = (struct ct_guest){ .loop = s->loop, .all = &s->endpoints, .patience_ms = s->patience_ms, .left = client_left,
                                .user = s, .fd = -1, .counted = true, .since_ms = ct_serve_now() };
    guest->surplus = atomic_fetch_add_explicit(&s->connected, 1, memory_order_relaxed) >= s->clients;
    return 0;
}

static void connection_close(const struct mg_connection *conn)
{
    struct ct_guest *guest = mg_get_user_connection_data(conn);

    if (guest) {
        answer_foreign(conn);
        ct_guest_leave(guest);
    }
    free(guest);
}

/* ---- beginning and end ---- */

/*
 * civetweb opens its sockets itself: the one it has opened becomes ours, before its master polls it for the first time.  A
 * poll under way would go on with the old one.
 */
static int take_over(struct ct_server *s, const struct mg_context *ctx)
{
    struct mg_server_port port[1];
    int r = -EIO;

    if (mg_get_server_ports(ctx, 1, port) == 1)
        r = ct_socket_become((unsigned)port[0].port, s->listener->fd);
    if (r < 0)
        return r;
    s->listener->fd = -1;
    s->port = s->listener->at.port;
    return 0;
}

/* Each thread of civetweb makes the whole process ignore SIGPIPE, and then calls this. */
static void *init_thread(const struct mg_context *ctx, int type)
{
    struct ct_server *s = mg_get_user_data(ctx);
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_IGN)       /* else the program has just set it */
        sigaction(SIGPIPE, &s->sigpipe, NULL);
    if (s->begin)
        s->begin();
    if (type == MASTER)
        s->taken = take_over(s, ctx);
    sem_post(&s->started);
    return NULL;
}

/* It goes on with the workers that it could make, and only says so. */
static int log_message(const struct mg_connection *conn, const char *message)
{
    struct ct_server *s = conn ? server_of(conn) : NULL;
    unsigned failed;

    if (s && sscanf(message, "Cannot start worker thread %u", &failed) == 1 && failed)
        s->workers = failed - 1;
    return 1;
}

/* Until every thread has begun, and SIGPIPE is what it was. */
static void wait_for_threads(struct ct_server *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    for (unsigned i = 0; i < 1 + s->workers; i++)
        while (sem_timedwait(&s->started, &until) != 0 && errno == EINTR)
            ;
}

static struct mg_context *start_web(struct ct_server *s, const char *address)
{
    /* No log_access: with it, each request would call localtime(), whose result belongs to the program. */
    static const struct mg_callbacks callbacks = {
        .begin_request = begin_request,
        .http_error = http_error,
        .init_connection = init_connection,
        .connection_close = connection_close,
        .init_thread = init_thread,
        .log_message = log_message,
    };
    char threads[16], request_ms[16], idle_ms[16], head_size[16];
    const char *options[] = {
        "listening_ports", address, "num_threads", threads, "request_timeout_ms", request_ms, "enable_keep_alive", "yes",
        "keep_alive_timeout_ms", idle_ms, "max_request_size", head_size, "enable_auth_domain_check", "no", "decode_url",
        "no", "tcp_nodelay", "1", NULL,
    };
    struct mg_init_data init = { &callbacks, s, options };
    struct mg_error_data error = { NULL, s->complaint, sizeof s->complaint };
    struct mg_context *web;
    sigset_t all, old;

    s->workers = s->clients + SPARE;
    snprintf(threads, sizeof threads, "%u", s->workers);
    snprintf(request_ms, sizeof request_ms, "%d", REQUEST_MS);
    snprintf(idle_ms, sizeof idle_ms, "%d", IDLE_MS);
    snprintf(head_size, sizeof head_size, "%d", HEAD_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    web = mg_start2(&init, &error);
    if (web)
        wait_for_threads(s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return web;
}

static int start(struct ct_server *s, struct ct_listener *l, struct ct_error *err)
{
    char anywhere[32];
    int r = ct_loop_start(s->begin, &s->loop);

    if (r < 0)
        return ct_error_at(err, r, 0, "cannot start the server's threads: %s", strerror(-r));
    s->listener = l;
    s->taken = -ETIMEDOUT;
    mg_init_library(0);
    snprintf(anywhere, sizeof anywhere, "%s:0", l->at.ip);
    s->web = start_web(s, anywhere);
    if (!s->web)
        return ct_error_at(err, -EIO, 0, "cannot start the web server: %.100s", s->complaint);
    return s->taken < 0 ? ct_error_at(err, s->taken, 0, "the web server does not listen: %s", strerror(-s->taken)) : 0;
}

int ct_server_start_on(const struct ct_server_options *o, struct ct_listener *l, struct ct_server **ret, struct ct_error *err)
{
    struct ct_server *s = calloc(1, sizeof *s);
    int r;

    if (!s)
        return ct_error_at(err, -ENOMEM, 0, "out of memory");
    s->endpoints = o->endpoints;
    s->begin = o->begin;
    s->clients = o->clients;
    s->patience_ms = o->patience_ms;
    sem_init(&s->started, 0, 0);
    sigaction(SIGPIPE, NULL, &s->sigpipe);
    snprintf(s->address, sizeof s->address, "%s:%u", l->at.ip, l->at.port);
    r = start(s, l, err);
    if (r < 0)
        ct_server_stop(s);
    else
        *ret = s;
    return r;
}

int ct_server_start(const struct ct_server_options *o, struct ct_server **ret, struct ct_error *err)
{
    struct ct_listener l;
    int r = ct_listener_open(o->address, o->endpoints.guard.token, o->insecure, &l, err);

    if (r == 0)
        r = ct_server_start_on(o, &l, ret, err);
    if (r < 0)
        ct_listener_close(&l);
    return r;
}

const char *ct_server_address(const struct ct_server *s)
{
    return s->address;
}

void ct_server_finish(struct ct_server *s)
{
    if (s)
        ct_loop_finish(s->loop, FINISH_MS);
}

void ct_server_stop(struct ct_server *s)
{
    if (!s)
        return;
    if (s->web) {
        if (s->port)
            ct_socket_deafen(s->port);  /* its thread would look for the stop every two seconds */
        mg_stop(s->web);
    }
    if (s->loop)
        mg_exit_library();
    ct_loop_stop(s->loop);
    sem_destroy(&s->started);
    free(s);
}
