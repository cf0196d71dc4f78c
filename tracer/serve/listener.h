/* A listener: a socket on which clients knock, there before the web server is. */
#pragma once

#include <stdbool.h>

#include "format/error.h"
#include "serve/guard.h"

struct ct_listener {
    int fd;                         /* -1: there is none */
    struct ct_address at;           /* with the port that was picked */
};

/*
 * Listens at `address`, as ct_address_parse() reads it, if ct_guard_listen() lets it.  0, or a negative errno with one line
 * for a person.
 */
int ct_listener_open(const char *address, const char *token, bool insecure, struct ct_listener *ret, struct ct_error *err);
/* Nobody listens any more.  One without a socket is fine. */
void ct_listener_close(struct ct_listener *l);
