/* The endpoints: a table of paths; each answers a request into a reply, at once or after a while. */
#pragma once

#include "serve/guard.h"
#include "serve/host.h"
#include "serve/reply.h"
#include "serve/request.h"

#define CT_SERVE_PREFIX "/debug/pprof"
enum {
    CT_SERVE_PROFILES = 64,         /* rows of the index */
    CT_SERVE_SECONDS = 3600,        /* the longest window; what asks for more gets this */
};

struct ct_endpoint;
struct ct_exchange;

/* Rows in the order in which they are tried. */
struct ct_endpoint_table {
    const struct ct_endpoint *rows;
    size_t count;
};

/* What is the same for all requests. */
struct ct_endpoints {
    const char *prefix;             /* begins with `/`, does not end in one; or "" */
    struct ct_guard guard;
    const struct ct_serve_host *host;       /* NULL: no process is served */
    const struct ct_endpoint_table *table;
    bool (*check)(struct ct_exchange *x);   /* before a row answers; false: the reply is made.  NULL: all is well */
    void (*finish)(struct ct_exchange *x);  /* has the last word on a reply that is made at once; NULL: nobody has */
    void *context;                  /* for the rows */
    pid_t pid;                      /* that is meant where none is named; 0: the host's own choice */
};

enum ct_answer_kind {
    CT_ANSWER_NOW,                  /* the reply is whole */
    CT_ANSWER_WINDOW,               /* after `seconds` the host's window_close() fills the reply */
    CT_ANSWER_STREAM,               /* the body is what the stream brings */
};

/* A request under way. */
struct ct_exchange {
    const struct ct_endpoints *all;
    const struct ct_request *request;
    const struct ct_endpoint *row;  /* that answers; NULL: none */
    pid_t pid;                      /* of the process that it is about */
    const char *rest;               /* of the path, below the endpoint's */
    enum ct_answer_kind kind;
    struct ct_reply reply;
    double seconds;                 /* of a window or stream */
    void *window;
    struct ct_stream stream;
};

enum ct_endpoint_flags {
    CT_ENDPOINT_ROOT = 1,           /* its path does not stand below the prefix */
    CT_ENDPOINT_TREE = 2,           /* all that begins with its path */
    CT_ENDPOINT_OPEN = 4,           /* no secret: whoever may connect may have it, without the token */
    CT_ENDPOINT_OWN = 256,          /* this and greater ones mean something to the table alone */
};

struct ct_endpoint {
    const char *path;               /* below the prefix */
    unsigned methods;               /* enum ct_request_method */
    unsigned flags;
    void (*answer)(struct ct_exchange *x);
    bool (*there)(const struct ct_serve_host *host);    /* NULL: always */
    const char *doc;                /* for the index; NULL: it has no row there */
    const char *parameters;         /* that it takes, parted by blanks; NULL: not told */
};

/* The debug server's. */
extern const struct ct_endpoint_table ct_debug_endpoints;

/*
 * Answers a request: guard, path, method, then the endpoint.  With a POST or PUT, `request->body` may be NULL at first:
 * then true asks for the body to be read and for another call.  Whoever calls ends the exchange with ct_exchange_fini().
 */
bool ct_endpoints_answer(const struct ct_endpoints *all, const struct ct_request *request, struct ct_exchange *ret);
/* Answers a request that ct_request_parse() refused, or one that there is no room for.  405 has words of its own for `why`. */
void ct_endpoints_refuse(const struct ct_endpoints *all, struct ct_exchange *ret, int status, const char *why);
/* Frees the reply.  A window or stream that was not taken over is given up. */
void ct_exchange_fini(struct ct_exchange *x);

/* The families. */
void ct_answer_index(struct ct_exchange *x);
void ct_answer_cmdline(struct ct_exchange *x);
void ct_answer_redirect(struct ct_exchange *x);
void ct_answer_symbol(struct ct_exchange *x);
void ct_answer_trace(struct ct_exchange *x);
void ct_answer_profile(struct ct_exchange *x);      /* any profile, by `rest` */
void ct_answer_metrics(struct ct_exchange *x);

/* The row of profile `name`, an alias resolved; false when there is none. */
bool ct_profile_find(const struct ct_exchange *x, const char *name, struct ct_profile_info *ret);
