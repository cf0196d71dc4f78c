/* A guest: a client's connection while a worker of the web server has it; answers it, or gives it to the loop. */
#include "serve/guest.h"

#include <poll.h>
#include <sys/socket.h>

#include "serve/late.h"
#include "serve/now.h"
#include "serve/socket.h"

enum { LARGE = 64 << 10 };          /* a reply of this size ends the connection of who is not waited for */

/* Gives the connection and the exchange to the loop in `state`; the rest of `late` is set.  False: nothing was given. */
static bool hand_over(struct ct_guest *guest, struct ct_late *late, enum ct_late_state state)
{
    late->fd = ct_socket_take(guest->fd);
    if (late->fd < 0)
        return false;
    late->exchange.request = NULL;      /* its texts lie in the web server's buffer */
    late->state = state;
    guest->fd = -1;
    guest->given = true;
    if (state == CT_LATE_CLOSING) {
        shutdown(late->fd, SHUT_WR);
    } else {
        late->done = guest->left;
        late->user = guest->user;
        guest->counted = false;
    }
    ct_loop_give(guest->loop, late);
    return true;
}

/* Whether the socket takes more by then. */
static bool wait_for(int fd, int64_t until_ms)
{
    struct pollfd one = { .fd = fd, .events = POLLOUT };
    int64_t left = until_ms - ct_serve_now();

    return left > 0 && poll(&one, 1, (int)left) > 0;
}

/*
 * Sends a reply that is whole.  What the socket does not take at once goes to the loop, and so does a connection that ends:
 * closed with something of the client's unread, it would be reset, and the reply lost on its way.
 */
static bool send_whole(struct ct_guest *guest, struct ct_late *late, bool head_only, bool keep)
{
    int64_t now = ct_serve_now();
    bool gone, sent;

    keep = keep && (late->exchange.reply.size < LARGE || guest->patience_ms);
    ct_late_whole(late, head_only, keep, now);
    late->fd = guest->fd;
    sent = ct_late_send(late, &gone);
    while (!sent && !gone && guest->patience_ms && wait_for(guest->fd, now + guest->patience_ms))
        sent = ct_late_send(late, &gone);
    late->fd = -1;
    if (sent)
        late->deadline_ms = now + CT_LATE_LINGER_MS;
    if (sent && keep) {
        ct_late_free(late);
        return true;
    }
    if (gone || !hand_over(guest, late, sent ? CT_LATE_CLOSING : CT_LATE_SENDING))
        ct_late_free(late);
    return false;
}

bool ct_guest_answer(struct ct_guest *guest, struct ct_late *late, const struct ct_request *request, bool keep)
{
    if (late->exchange.kind == CT_ANSWER_NOW)
        return send_whole(guest, late, request->method == CT_METHOD_HEAD, keep);
    if (ct_late_begin(late, !request->old, ct_serve_now()) < 0 || !hand_over(guest, late, late->state))
        ct_late_free(late);
    return false;
}

void ct_guest_refuse(struct ct_guest *guest, int status, const char *why)
{
    struct ct_late *late = ct_late_new();

    if (!late)
        return;
    ct_endpoints_refuse(guest->all, &late->exchange, status, why);
    send_whole(guest, late, false, false);
}

void ct_guest_leave(struct ct_guest *guest)
{
    if (guest->counted)             /* else the loop says when the client leaves */
        guest->left(guest->user);
}
