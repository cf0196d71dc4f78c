/* What the parts of the service share. */
#pragma once

#include <stdatomic.h>

#include "serve/host.h"
#include "serve/server.h"
#include "service/errands.h"
#include "service/folder.h"
#include "service/namer.h"
#include "service/service.h"
#include "service/still.h"

struct ct_profile;

/* A program that is or was there; forgotten when it is over and nobody uses it. */
struct ct_served {
    struct ct_served *next;
    pid_t pid;
    struct ct_fold *fold;               /* all that was recorded of it for profiles */
    struct ct_still still;              /* of its threads; between ct_fold_lock and unlock */
    int64_t folded_s;                   /* when something was last folded, CLOCK_MONOTONIC; likewise */
    char since[96];                     /* a comment for profiles that do not count from its beginning; empty: they do */
    unsigned users;
    int64_t trimmed_s;                  /* when it last gave memory back, CLOCK_MONOTONIC + 1; 0: never; under the service's lock */
};

/* The name of a program's own profile. */
struct ct_service_name {
    struct ct_service_name *next;
    char text[CT_VALUE_NAME];
};

/* A CPU profile that a program has begun by itself. */
struct ct_service_begun {
    struct ct_service_begun *next;
    pid_t pid;
    void *window;                       /* of the host's */
};

struct ct_service {
    struct ct_follow *follow;           /* for errands only */
    struct ct_errands errands;
    struct ct_folder folder;
    pthread_mutex_t lock;               /* of `served` and `streams` */
    pthread_mutex_t dumping;            /* held by who has asked for a dump of threads */
    pthread_cond_t streamed;            /* a stream has ended */
    unsigned streams;                   /* under way, and orders of programs */
    pthread_cond_t appeared;            /* a program has begun */
    bool any;                           /* one ever has */
    struct ct_served *served;           /* the newest first */
    struct ct_namer namer;
    struct ct_serve_host host;
    ct_service_bring *bring;
    pthread_mutex_t bringing;
    const struct ct_service_tools *tools;       /* under `bringing`; NULL: nobody has asked yet */
    uint64_t idmap_seed;                /* of all that is folded */
    bool patient;                       /* the tools wait for the first client */
    struct ct_listener listener;        /* without a socket: nobody listens yet, or the server has it */
    struct ct_service_options listening;        /* how; its texts are borrowed */
    bool opening;                       /* `opener` does it, or has */
    pthread_t opener;
    _Atomic bool stopping;
    struct ct_server *server;           /* NULL: nobody asks by HTTP, or has not yet */
    char place[160];                    /* where it listens; "": nowhere */
    struct ct_service_asked *asked;     /* its options, when a program has asked for it (service/ask.c) */
    struct ct_service_begun *begun;     /* under `lock` */
    struct ct_service_name *names;      /* under `lock`; service/values.c */
    unsigned clients;                   /* of each way to ask, at a time */
    unsigned mounted;                   /* requests of the program's own web server; under `lock`, as what follows */
    struct ct_loop *loop;               /* that answers them; NULL: there was none yet */
    bool ending;                        /* no more of them */
    uint64_t categories;                /* all that may be recorded */
};

/* Waits a moment for the first program, which may not have come as far as to say that it is there. */
void ct_served_await(struct ct_service *s);
/* The newest program of that process, 0: of the first, or the eldest it left; NULL when there is none.  Give it back with ct_served_put. */
struct ct_served *ct_served_get(struct ct_service *s, pid_t pid);
void ct_served_put(struct ct_service *s, struct ct_served *one);

/*
 * Watches the process for `segments` from now on: false when it is gone.  The other ends that, whether it is there or not;
 * segments->take() has seen the last one when it returns.
 */
bool ct_service_watch(struct ct_service *s, pid_t pid, struct ct_segments *segments);
void ct_service_unwatch(struct ct_service *s, pid_t pid, struct ct_segments *segments);
/* The same for a fold that nobody wants any more, which is left: some time soon, without waiting. */
void ct_service_abandon(struct ct_service *s, pid_t pid, struct ct_fold *fold);
/* Has everything that was recorded until now drained and folded; false when that takes too long. */
bool ct_service_refresh(struct ct_service *s, struct ct_served *one);

/* Frees what a program asked for; after the server. */
void ct_service_ask_fini(struct ct_service *s);

/* A request of the program's own web server: by `fd`, which is given, comes a struct ct_serve_call.  Waits for it. */
void ct_service_mounted(struct ct_service *s, pid_t pid, int fd);
/* Sends what can be sent soon, and drops the rest; when no more can begin to be measured. */
void ct_service_mounted_fini(struct ct_service *s);

/* Nobody listens any more, unless the server does. */
void ct_service_unlisten(struct ct_service *s);

/* The calls of struct ct_serve_host. */
void ct_service_host(struct ct_service *s, struct ct_serve_host *ret);
void ct_service_metrics(void *service, struct ct_metrics *m);
void ct_service_symbols(void *service, pid_t pid, const uint64_t *addresses, size_t count,
                        void (*tell)(void *to, uint64_t address, const char *name), void *to);
int ct_service_threads(struct ct_service *s, struct ct_served *one, const struct ct_profile_request *r, struct ct_reply *reply);
/* The same as a profile without names, of values of this `type`, of which differences are made.  Caller frees with ct_profile_free(). */
int ct_service_threads_now(struct ct_service *s, struct ct_served *one, const char *type, struct ct_profile **ret, struct ct_reply *reply);
int ct_service_trace_open(void *service, const struct ct_trace_request *r, struct ct_stream *ret, struct ct_reply *reply);
void ct_service_trace_close(void *service, struct ct_stream *stream);
