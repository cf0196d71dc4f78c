/*
 * The host: what the debug server asks of whoever it serves for.  A table of calls; one that is NULL stands for something
 * that the host does not have, and the endpoint is then not there either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ct_reply;
struct ct_metrics;

enum ct_profile_flags {
    CT_PROFILE_DELTA = 1,           /* ?seconds=N may ask for what came to it in that time */
    CT_PROFILE_WINDOW = 2,          /* always over a time: `profile` */
    CT_PROFILE_GC = 4,              /* ?gc=1 means something */
};

/* A row of the index. */
struct ct_profile_info {
    const char *name;               /* letters, digits, - and _; borrowed until the call after */
    const char *doc;                /* NULL: as in Go, for the names that Go knows */
    uint64_t count;
    unsigned flags;
};

struct ct_profile_request {
    pid_t pid;
    const char *name;               /* as in the host's table; lives as long as the window */
    const char *alias;              /* by which it was asked for and calls itself; lives as long; NULL: by its name */
    int debug;                      /* 0: protobuf; else text */
    bool gc;                        /* give memory back first */
    bool symbolize;
    int64_t seconds;                /* of a window; 0: what is now */
    int64_t hz;                     /* 0: as usual */
};

struct ct_trace_request {
    pid_t pid;
    double seconds;
    uint64_t categories;            /* bit mask */
};

/* Bytes that come by and by. */
struct ct_stream {
    int fd;                         /* to poll and to read; its end is the stream's, an error cuts it short */
    void *user;                     /* of the host */
};

/*
 * Calls come from several threads at once, except that one window or stream sees one at a time.  Those that return int
 * return 0; else they have made a fault of the reply (ct_reply_fault), or leave it to the server to say something general.
 */
struct ct_serve_host {
    void *context;
    /* The process that `asked` means, 0: the one that is served by default.  0 when there is none such. */
    pid_t (*process)(void *context, pid_t asked);
    /* The processes that are served and have not ended, into `rows`; how many there are.  NULL: there is but one. */
    size_t (*processes)(void *context, pid_t *rows, size_t room);
    /* The profiles of a process there are now, into `rows`; how many. */
    size_t (*profiles)(void *context, pid_t pid, struct ct_profile_info *rows, size_t room);
    /* Before the counts of those rows, or metrics, are told: what was recorded until two seconds ago is to count.  NULL: it does anyway. */
    void (*refresh)(void *context, pid_t pid);
    /* A profile as it is now. */
    int (*profile)(void *context, const struct ct_profile_request *r, struct ct_reply *reply);
    /* Opens a window of a CPU profile or of a difference; close makes the profile, or with no reply gives it up, at once. */
    int (*window_open)(void *context, const struct ct_profile_request *r, void **ret_window, struct ct_reply *reply);
    int (*window_close)(void *context, void *window, struct ct_reply *reply);
    /* A descriptor that becomes readable when nothing more can come: the program has ended.  Borrowed until close; -1: none. */
    int (*window_over)(void *context, void *window);
    /* A trace; it ends by itself after its seconds.  The host never waits for who reads: it leaves out generations. */
    int (*trace_open)(void *context, const struct ct_trace_request *r, struct ct_stream *ret, struct ct_reply *reply);
    void (*trace_close)(void *context, struct ct_stream *stream);
    /* The functions at addresses of the process: `tell` hears of those that are known, in their order. */
    void (*symbols)(void *context, pid_t pid, const uint64_t *addresses, size_t count,
                    void (*tell)(void *to, uint64_t address, const char *name), void *to);
    /* What the host has to tell beside what /proc says of the process. */
    void (*metrics)(void *context, struct ct_metrics *metrics);
};
