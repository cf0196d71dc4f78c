/* The server: a table of endpoints on a port, through civetweb.  No type of civetweb leaves server.c. */
#pragma once

#include "format/error.h"
#include "serve/endpoints.h"
#include "serve/listener.h"

struct ct_server;

enum { CT_SERVER_CLIENTS_INSIDE = 8, CT_SERVER_CLIENTS = 80 };

struct ct_server_options {
    const char *address;            /* as ct_address_parse() reads it */
    struct ct_endpoints endpoints;  /* what it points to stays there until the server has stopped */
    bool insecure;                  /* beyond loopback without a token */
    unsigned clients;               /* served at a time; the next ones get 503 */
    int patience_ms;                /* as in struct ct_guest */
    void (*begin)(void);            /* called first by each thread; NULL: nothing */
};

/*
 * Starts it.  The disposition of SIGPIPE, the caller's mask and the program's descriptors are afterwards as they were, but
 * for the server's own descriptors, which no child inherits.  0, or a negative errno with one line for a person.
 */
int ct_server_start(const struct ct_server_options *options, struct ct_server **ret, struct ct_error *err);
/* The same on a listener, which has it then: it is one without a socket.  Options' address and insecure are not looked at. */
int ct_server_start_on(const struct ct_server_options *options, struct ct_listener *l, struct ct_server **ret, struct ct_error *err);
/* Where it listens: "127.0.0.1:6060", the port that was picked.  Borrowed until the stop. */
const char *ct_server_address(const struct ct_server *s);
/*
 * Waits until windows and streams under way have ended, which is for the host to see to, and their replies are sent; not for
 * long, whoever reads slowly.  Takes NULL.
 */
void ct_server_finish(struct ct_server *s);
/* Drops all clients, gives up what runs for them, and ends.  May take a second.  NULL is fine. */
void ct_server_stop(struct ct_server *s);
