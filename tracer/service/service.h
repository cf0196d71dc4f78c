/* The service: the debug server over what is followed, and whoever else asks for profiles of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drain/follow.h"
#include "format/error.h"
#include "format/serve.h"
#include "service/tools.h"

struct ct_service;

/* Texts are borrowed until the stop. */
struct ct_service_options {
    uint64_t categories;            /* all that may be recorded of a program */
    const char *address;            /* of the HTTP server, as ct_address_parse() reads it; NULL: there is none */
    const char *prefix;             /* of its paths; NULL: CT_SERVE_PREFIX */
    const char *token;              /* that a client must know; NULL: none */
    const char *const *hosts;       /* names that a request's Host may be, besides localhost and addresses */
    size_t host_count;
    bool insecure;                  /* beyond loopback without a token */
    unsigned clients;               /* at a time; 0: as many as suit a process of its own */
    ct_service_bring *tools;        /* what answers; for ct_service_start(), as what follows */
    bool patient;                   /* it is brought when somebody asks, not before */
};

/* What is recorded for it all the time: what heap, block, mutex and thread profiles are made of. */
uint64_t ct_service_categories(void);

/*
 * Serves what `follow` follows; 0, or a negative errno with a line in `err`.
 * `follow` need not be initialised yet: its hooks take ct_service_began, and its owner's descriptor is polled.
 */
int ct_service_start(const struct ct_service_options *options, struct ct_follow *follow, struct ct_service **ret,
                     struct ct_error *err);
/*
 * The same for a service that has no HTTP server yet.  0, or a negative errno: -EALREADY when it has one, which goes on.
 * struct ct_serve_http is what a program asks for; the answer is in it.  Texts of `options` are borrowed until the stop.
 */
int ct_service_listen(struct ct_service *s, const struct ct_service_options *options, struct ct_error *err);
int ct_service_ask(struct ct_service *s, struct ct_serve_http *http, unsigned clients);
/* The same by a file that holds it, as it came with CT_CONTROL_SERVE; the answer is put there. */
int ct_service_answer(struct ct_service *s, int fd, unsigned clients);
/*
 * What a program asks for by the socket `fd` (borrowed) that came with CT_CONTROL_PROFILE.  On the thread that drains; it is
 * answered by a thread of its own.
 */
void ct_service_order(struct ct_service *s, pid_t pid, int fd);
/* Says no. */
void ct_service_order_refuse(int fd, int error);
/* Where it listens: "127.0.0.1:6060/debug/pprof"; NULL when there is no HTTP server.  Borrowed until the stop. */
const char *ct_service_place(const struct ct_service *s);
/* The descriptor that the thread which drains polls, and what it calls when it is readable. */
int ct_service_bell(const struct ct_service *s);
void ct_service_hear(struct ct_service *s);
/* Hook of struct ct_follow_hooks: a program has begun. */
void ct_service_began(struct ct_service *s, struct ct_process *p);
/* One that was followed before the service was there is served from its next generation on. */
void ct_service_met(struct ct_service *s, struct ct_process *p);
/* No more is asked of `follow` from now on; before ct_follow_fini. */
void ct_service_deaf(struct ct_service *s);
/* After ct_follow_fini: waits so long at most for those who get the ends of their traces. */
void ct_service_flush(struct ct_service *s, unsigned patience_ms);
/* Ends it; after ct_follow_fini.  Takes NULL. */
void ct_service_stop(struct ct_service *s);
