/* A late reply: one connection of the loop, what it waits for and what comes next. */
#include "serve/late.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/now.h"

/* "10000\r\n" before a chunk, "\r\n" behind it, "0\r\n\r\n" behind the last. */
enum { BEFORE = 16, BEHIND = 8 };

static bool is_sent(const struct ct_late *late)
{
    return !late->left[0].iov_len && !late->left[1].iov_len;
}

static void enter(struct ct_late *late, enum ct_late_state state, int64_t deadline_ms)
{
    late->state = state;
    late->deadline_ms = deadline_ms;
}

/* All that a connection had to be there for is over. */
static void leave(struct ct_late *late)
{
    if (late->done)
        late->done(late->user);
    late->done = NULL;
}

struct ct_late *ct_late_new(void)
{
    struct ct_late *late = calloc(1, sizeof *late);

    if (late)
        late->fd = -1;
    return late;
}

void ct_late_free(struct ct_late *late)
{
    ct_exchange_fini(&late->exchange);
    if (late->fd >= 0)
        close(late->fd);
    leave(late);
    free(late->chunk);
    free(late);
}

static void fill(struct ct_late *late, size_t head_size, bool body)
{
    const struct ct_reply *r = &late->exchange.reply;

    late->left[0] = (struct iovec){ late->head, head_size };
    late->left[1] = (struct iovec){ r->body, body ? r->size : 0 };
}

bool ct_late_send(struct ct_late *late, bool *ret_gone)
{
    *ret_gone = false;
    while (!is_sent(late)) {
        struct msghdr message = { .msg_iov = late->left, .msg_iovlen = 2 };
        ssize_t n = sendmsg(late->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            *ret_gone = errno != EAGAIN && errno != EWOULDBLOCK;
            return false;
        }
        for (struct iovec *part = late->left; n; part++) {
            size_t taken = (size_t)n < part->iov_len ? (size_t)n : part->iov_len;

            part->iov_base = (char *)part->iov_base + taken;
            part->iov_len -= taken;
            n -= (ssize_t)taken;
        }
    }
    return true;
}

/* ---- beginnings ---- */

void ct_late_whole(struct ct_late *late, bool head_only, bool keep, int64_t now)
{
    const struct ct_exchange *x = &late->exchange;
    bool measured = head_only && x->seconds > 0 && !x->reply.fault;     /* for HEAD it is not: its length is not known */

    fill(late, ct_reply_head(&x->reply, measured ? CT_REPLY_UNTIL_CLOSE : CT_REPLY_KNOWN, keep, time(NULL), late->head), !head_only);
    enter(late, CT_LATE_SENDING, now + CT_LATE_STALL_MS);
    late->give_up_ms = now + CT_LATE_WHOLE_MS;
}

int ct_late_begin(struct ct_late *late, bool chunked, int64_t now)
{
    struct ct_exchange *x = &late->exchange;
    int64_t span_ms = (int64_t)(x->seconds * 1000);

    if (x->kind == CT_ANSWER_WINDOW) {
        enter(late, CT_LATE_WAITING, now + span_ms);
        late->give_up_ms = INT64_MAX;
        return 0;
    }
    late->chunk = malloc(BEFORE + CT_LATE_CHUNK + BEHIND);
    if (!late->chunk)
        return -ENOMEM;
    late->chunked = chunked;
    fill(late, ct_reply_head(&x->reply, chunked ? CT_REPLY_CHUNKED : CT_REPLY_UNTIL_CLOSE, false, time(NULL), late->head), false);
    enter(late, CT_LATE_STREAMING, now + CT_LATE_STALL_MS);
    late->give_up_ms = now + span_ms + CT_LATE_WHOLE_MS;
    return 0;
}

/* ---- windows ---- */

void ct_late_make(struct ct_late *late)
{
    struct ct_exchange *x = &late->exchange;
    const struct ct_serve_host *host = x->all->host;
    void *window = x->window;

    x->window = NULL;
    x->kind = CT_ANSWER_NOW;
    if (host->window_close(host->context, window, &x->reply) != 0 && !x->reply.fault)
        ct_reply_fault(&x->reply, 500, "failed to collect profile");
    if (x->reply.full)
        ct_reply_fault(&x->reply, 500, "the profile does not fit into memory");
    ct_late_whole(late, false, false, ct_serve_now());
}

/* ---- streams ---- */

static void frame(struct ct_late *late, size_t size)
{
    char *at = late->chunk + BEFORE, length[BEFORE];
    int n = 0;

    if (late->chunked) {
        n = snprintf(length, sizeof length, "%zx\r\n", size);
        memcpy(at - n, length, (size_t)n);
        memcpy(at + size, "\r\n", 2);
    }
    late->left[0] = (struct iovec){ at - n, size + (size_t)n + (late->chunked ? 2 : 0) };
    late->left[1].iov_len = 0;
}

/* Reads from the source what is there, once.  False when the stream was cut short. */
static bool feed(struct ct_late *late, int64_t now)
{
    ssize_t n = read(late->exchange.stream.fd, late->chunk + BEFORE, CT_LATE_CHUNK);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    frame(late, (size_t)n);
    if (n == 0) {
        late->state = CT_LATE_SENDING;
        ct_exchange_fini(&late->exchange);      /* the host need not wait for the client to read the rest */
    }
    late->deadline_ms = now + CT_LATE_STALL_MS;
    return true;
}

/* ---- steps ---- */

/* A stream with nothing to send waits for its source, which may be silent for long. */
static int64_t due_of(const struct ct_late *late)
{
    bool idle = late->state == CT_LATE_STREAMING && is_sent(late);

    return idle || late->give_up_ms < late->deadline_ms ? late->give_up_ms : late->deadline_ms;
}

static int over(const struct ct_exchange *x)
{
    const struct ct_serve_host *host = x->all->host;

    return host->window_over ? host->window_over(host->context, x->window) : -1;
}

/*
 * While a window or stream runs, an end of what the client sends means that it has gone: that is how Go takes it, and
 * nothing else tells.
 */
int64_t ct_late_poll(struct ct_late *late, struct pollfd pair[2])
{
    bool streams = late->state == CT_LATE_STREAMING;

    pair[0] = (struct pollfd){ .fd = late->fd };
    pair[1] = (struct pollfd){ .fd = -1 };
    if (!is_sent(late))
        pair[0].events |= POLLOUT;
    if (streams || late->state == CT_LATE_WAITING)
        pair[0].events |= POLLRDHUP;
    if (late->state == CT_LATE_CLOSING)
        pair[0].events |= POLLIN;
    if (streams && is_sent(late))
        pair[1] = (struct pollfd){ .fd = late->exchange.stream.fd, .events = POLLIN };
    if (late->state == CT_LATE_WAITING)
        pair[1] = (struct pollfd){ .fd = over(&late->exchange), .events = POLLIN };
    return due_of(late);
}

/* Reads what the client still sends; true when that has ended. */
static bool drained(int fd)
{
    char bytes[4096];
    ssize_t n;

    for (unsigned i = 0; i < 16; i++) {
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n <= 0)
            return n == 0 || errno != EAGAIN;
    }
    return false;
}

static enum ct_late_next send_some(struct ct_late *late, int64_t now)
{
    size_t before = late->left[0].iov_len + late->left[1].iov_len;
    bool gone;

    if (ct_late_send(late, &gone)) {
        if (late->state == CT_LATE_SENDING) {
            leave(late);                /* before its client knows, who may come back at once */
            shutdown(late->fd, SHUT_WR);
            enter(late, CT_LATE_CLOSING, now + CT_LATE_LINGER_MS);
        }
    } else if (gone) {
        return CT_LATE_ENDS;
    }
    if (late->state != CT_LATE_CLOSING && late->left[0].iov_len + late->left[1].iov_len != before)
        late->deadline_ms = now + CT_LATE_STALL_MS;
    return CT_LATE_STAYS;
}

static enum ct_late_next step_stream(struct ct_late *late, const struct pollfd pair[2], int64_t now)
{
    if (pair[1].revents && !feed(late, now))
        return CT_LATE_ENDS;
    return is_sent(late) && late->state == CT_LATE_STREAMING ? CT_LATE_STAYS : send_some(late, now);
}

enum ct_late_next ct_late_step(struct ct_late *late, const struct pollfd pair[2], int64_t now)
{
    short client = pair[0].revents;

    if (late->state == CT_LATE_WAITING && (now >= late->deadline_ms || pair[1].revents) &&
        !(client & (POLLERR | POLLHUP | POLLRDHUP)))
        return CT_LATE_IS_DUE;
    if (client & (POLLERR | POLLHUP | POLLRDHUP) || now >= due_of(late))
        return CT_LATE_ENDS;
    switch (late->state) {
    case CT_LATE_SENDING:
        return send_some(late, now);
    case CT_LATE_STREAMING:
        return step_stream(late, pair, now);
    case CT_LATE_CLOSING:
        return client & POLLIN && drained(late->fd) ? CT_LATE_ENDS : CT_LATE_STAYS;
    case CT_LATE_WAITING:
        break;
    }
    return CT_LATE_STAYS;
}
