/*
 * The tools: what answers those who ask.  Inside a program they are a library of their own, which is opened when somebody
 * asks first, for most of what a server needs in memory is this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/error.h"

struct ct_service;

struct ct_service_tools {
    uint32_t version, size;         /* CT_SERVE_VERSION; of struct ct_service: both sides are made of the same source */
    /* Before all others, once: 0, or a negative errno, and then nothing has changed. */
    int (*begin)(struct ct_service *s);
    /* Starts the web server on s->listener.  0, or a negative errno with a line in `err`. */
    int (*listen)(struct ct_service *s, struct ct_error *err);
    /* Answers what a program asks for by the socket `fd`, which is given. */
    void (*order)(struct ct_service *s, pid_t pid, int fd);
    /* Sends all clients what there is for them, soon, and lets none come any more. */
    void (*cut)(struct ct_service *s);
    /* Ends all that; nobody asks any more. */
    void (*end)(struct ct_service *s);
};

/* Brings them, on any thread; NULL: they are not there.  Never freed. */
typedef const struct ct_service_tools *ct_service_bring(void);

/* Those that are linked with who calls. */
ct_service_bring ct_service_tools_here;
/* Those of the other library, in libctrace-serve.so only. */
ct_service_bring ct_service_tools_there;

/* Whether they are ready, brought now if need be.  Any thread but the one that drains. */
bool ct_service_ready(struct ct_service *s);
