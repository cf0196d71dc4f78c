/*
 * What libctrace.so asks of libctrace-serve.so, which it opens when a program without `ctrace record` starts a trace or serves.
 * Here, with the ground, because neither knows the other otherwise.
 */
#pragma once

#include <stdint.h>

#define CT_SERVE_LIBRARY "libctrace-serve.so.0"
#define CT_SERVE_SYMBOL "ct_serve"

/* What libctrace-serve.so opens in its turn when somebody asks. */
#define CT_ANSWER_LIBRARY "libctrace-answer.so.0"
#define CT_ANSWER_SYMBOL "ct_answer"

enum { CT_SERVE_VERSION = 3 };

struct ct_arena;

struct ct_serve_start {
    struct ct_arena *arena;         /* of this process; stays mapped until `stop` has returned */
    const char *session;            /* path of the session directory; empty: there is none, the arena is a memfd */
    const char *path;               /* absolute path of the trace for notes and messages; NULL: only `fd` is known */
    int fd;                         /* the trace, open for writing; borrowed until `stop` has returned */
    uint64_t limit;                 /* bytes of the file; 0: none */
    int64_t delay_ms;               /* not 0: the drain opens the gate after this time */
    int64_t duration_ms;            /* not 0: the drain shuts the gate after this time of recording */
    int (*ask)(int request, int fd, const char *text);  /* enum ct_control_request of the recorder */
    int start_request, stop_request;                    /* its numbers for that */
    void (*hide_thread)(void);      /* to be called first by each thread that serves: it is no part of the program */
};

/*
 * What trace_serve() asks for: of libctrace-serve.so, or of `ctrace record` in a file that goes with CT_CONTROL_SERVE.  Texts
 * end in NUL, and are empty where nothing was said.
 */
struct ct_serve_http {
    uint32_t size;                  /* of this struct */
    uint32_t insecure;              /* beyond loopback without a token */
    char address[128], prefix[128], token[256];
    char hosts[1024];               /* one text after the other; an empty one ends them */
    char place[160];                /* the answer: "127.0.0.1:6060/debug/pprof" */
    char trouble[160];              /* or why not, one line for a person */
};

/*
 * A request that came to the program's own web server, on its way to who serves: by a socket, behind a struct
 * ct_control_profile.  The answer comes there as HTTP/1.1, a reply to each.
 */
struct ct_serve_call {
    struct ct_serve_http http;      /* prefix, token, hosts, insecure; the rest is empty */
    char method[16], peer[64];      /* peer: the client's address as text; empty: the program vouches for it */
    uint32_t text_size;             /* of what follows: target, query, then name and value of each header; each ends in NUL */
    uint32_t body_size;             /* of what follows then */
};

enum { CT_SERVE_CALL_TEXT = 32 << 10, CT_SERVE_CALL_BODY = 1 << 20 };      /* no more than this */

/* What the program's part knows when it is to be served. */
struct ct_serve_host_program {
    const char *session;            /* path of the session directory, where to listen for the recorder */
    uint64_t categories;            /* all that may be recorded */
    uint32_t cpu_rate;              /* samples a second, unless a client asks for more */
    void (*hide_thread)(void);      /* to be called first by the first thread that serves: it and those it makes are no part of it */
    int (*hang_up)(void);           /* ends the recorder's connection: 1, or 0 when there was none */
};

struct ct_serve_api {
    uint32_t version, size;
    /* Folds what killed programs of this user left behind into their traces.  Before an output file is opened. */
    void (*sweep)(void);
    /* Drains the arena into the file on a thread of its own, until `stop`.  0 or a negative errno. */
    int (*start)(const struct ct_serve_start *how);
    /* The gate is shut: drains what is left, ends the file, ends the thread.  0, or why the file is not whole. */
    int (*stop)(void);
    /*
     * Listens for the recorder in the session's directory, and for clients at `http`, unless its address is empty.  0 or a
     * negative errno, with http->trouble.
     */
    int (*serve)(const struct ct_serve_host_program *program, struct ct_serve_http *http);
    /* Waits for the recorder to have come, some seconds at most; false: it has not. */
    int (*served)(void);
    /* Opens what answers who asks, which else is done by threads of ours when it is needed.  0, or -ELIBACC. */
    int (*prepare)(void);
    /* Ends all that; with `at_exit` only what must not be left behind, at once: the process is about to end. */
    void (*unserve)(int at_exit);
};

/* Exported by libctrace-serve.so.  The table, or NULL when it does not know `version`.  Never freed. */
typedef const struct ct_serve_api *ct_serve_function(uint32_t version);
