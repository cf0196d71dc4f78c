/*
 * The loop: one thread that carries every reply which takes longer than a moment, so that no worker of the web server waits
 * for a clock, a profile or a client that reads slowly.  A second thread makes profiles whose time is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "serve/endpoints.h"

enum ct_late_state {
    CT_LATE_SENDING,        /* what is left of a reply */
    CT_LATE_WAITING,        /* until the window's time is over */
    CT_LATE_STREAMING,
    CT_LATE_CLOSING,        /* all is sent; waits for the client's end, or what it has yet to read would be lost */
};

/* A connection that the loop has.  It owns all that is in it. */
struct ct_late {
    struct ct_late *next;
    int fd;                         /* of the client */
    enum ct_late_state state;
    struct ct_exchange exchange;    /* its request is gone */
    char head[CT_REPLY_HEAD];
    struct iovec left[2];           /* yet to be sent */
    char *chunk;                    /* of a stream; room for CT_LATE_CHUNK bytes and what stands around them */
    bool chunked;
    int64_t deadline_ms;            /* of the state */
    int64_t give_up_ms;             /* of the whole */
    void (*done)(void *user);       /* called once when all is sent, or it is freed */
    void *user;
};

struct ct_loop;

/* Starts both threads with all signals blocked; `begin` (may be NULL) has been called first in each.  0 or a negative errno. */
int ct_loop_start(void (*begin)(void), struct ct_loop **ret);
/*
 * Waits until all windows and streams have ended and every reply is sent, for so long at most: what was measured ends, and
 * nothing new begins.
 */
void ct_loop_finish(struct ct_loop *loop, int64_t most_ms);
/* Drops every connection, gives up every window and stream, ends the threads and frees it.  NULL is fine. */
void ct_loop_stop(struct ct_loop *loop);

/* Gives a connection to the loop, which frees it in the end.  Any thread. */
void ct_loop_give(struct ct_loop *loop, struct ct_late *late);
/* An empty one.  NULL: no memory. */
struct ct_late *ct_late_new(void);
/* Frees what never was given. */
void ct_late_free(struct ct_late *late);
/* Sends what the socket takes.  True when nothing is left; false when something is, or (`*ret_gone`) the client has gone. */
bool ct_late_send(struct ct_late *late, bool *ret_gone);

/* Somebody reads from `fd`, and gets an end of file when `deadline_ms` (ct_serve_now) has come. */
struct ct_watch {
    struct ct_watch *next;
    int fd;
    int64_t deadline_ms;
    bool over;                      /* it came to that */
};
void ct_loop_watch(struct ct_loop *loop, struct ct_watch *w);
void ct_loop_unwatch(struct ct_loop *loop, struct ct_watch *w);
