/* A guest: a client's connection while a worker of the web server has it; answers it, or gives it to the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/loop.h"

struct ct_guest {
    struct ct_loop *loop;
    const struct ct_endpoints *all;
    int patience_ms;                /* for a client to take a reply while its worker waits; the loop does the rest */
    void (*left)(void *user);       /* called once when the client is served no more, by whomever; any thread */
    void *user;
    int fd;                         /* its socket, owned by the web server; -1: not known */
    bool given;                     /* the loop has the connection */
    bool counted;                   /* left() is still to be called */
    bool refused;                   /* what came could not be read, and it was told so */
    bool surplus;                   /* came when there were as many as are served */
    uint64_t taken;                 /* bytes read before the request under way */
    int64_t since_ms;               /* when the wait for that request began */
};

/*
 * Answers with the exchange in `late`, which is given: at once, or by the loop.  `keep`: the client would keep the
 * connection.  False when the connection ends; the web server then closes what it believes to be the socket.
 */
bool ct_guest_answer(struct ct_guest *guest, struct ct_late *late, const struct ct_request *request, bool keep);
/* The same for a request that is refused. */
void ct_guest_refuse(struct ct_guest *guest, int status, const char *why);
/* The web server closes the connection. */
void ct_guest_leave(struct ct_guest *guest);
