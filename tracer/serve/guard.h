/* The guard: who may ask.  Rules about the address to listen on, the token, the Host and where a page came from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "format/error.h"
#include "serve/request.h"

struct ct_guard {
    const char *token;              /* what a client must know; NULL: nothing */
    /* Names that may stand in Host, besides localhost and IP literals; an entry is one name, or several parted by commas. */
    const char *const *hosts;
    size_t host_count;
};

/* An address to listen on. */
struct ct_address {
    char ip[16];                    /* IPv4, as text */
    unsigned port;                  /* 0: any */
    bool loopback;
};

/*
 * Reads "127.0.0.1:6060", "localhost:6060", ":6060" and "6060" (both mean loopback) and "0.0.0.0:0".
 * Returns 0, -EINVAL, or -EAFNOSUPPORT for IPv6; `err` says why.
 */
int ct_address_parse(const char *text, struct ct_address *ret, struct ct_error *err);

/*
 * Whether it may be listened on: not for a program that runs with more rights than who started it (`secure`, AT_SECURE),
 * and beyond loopback only with a token or when asked to be `insecure`.  0, or -EPERM with `err`.
 */
int ct_guard_listen(const struct ct_address *a, const char *token, bool insecure, bool secure, struct ct_error *err);

/*
 * The same for a server of somebody else: whether a client at the address `peer` may be answered at all; "" is one that the
 * server has judged itself.  0, or 403 and in `*ret_why` a sentence, never freed.
 */
int ct_guard_peer(const char *peer, const char *token, bool insecure, const char **ret_why);

/* Whether the request may be answered.  0, or the status (400, 401, 403) and in `*ret_why` a sentence, never freed. */
int ct_guard_check(const struct ct_guard *g, const struct ct_request *r, const char **ret_why);

/* The same for what holds no secret: no token is asked for, and a link on any page may lead there. */
int ct_guard_check_open(const struct ct_guard *g, const struct ct_request *r, const char **ret_why);

/* Whether both are the same, in a time that depends on `given` alone. */
bool ct_guard_same(const char *secret, const char *given);
