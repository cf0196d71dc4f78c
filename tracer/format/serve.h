/*
 * What libctrace.so asks of libctrace-serve.so, which it opens when a program without `ctrace record` starts a trace.
 * Here, with the ground, because neither knows the other otherwise.
 */
#pragma once

#include <stdint.h>

#define CT_SERVE_LIBRARY "libctrace-serve.so.0"
#define CT_SERVE_SYMBOL "ct_serve"

enum { CT_SERVE_VERSION = 1 };

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

struct ct_serve_api {
    uint32_t version, size;
    /* Folds what killed programs of this user left behind into their traces.  Before an output file is opened. */
    void (*sweep)(void);
    /* Drains the arena into the file on a thread of its own, until `stop`.  0 or a negative errno. */
    int (*start)(const struct ct_serve_start *how);
    /* The gate is shut: drains what is left, ends the file, ends the thread.  0, or why the file is not whole. */
    int (*stop)(void);
};

/* Exported by libctrace-serve.so.  The table, or NULL when it does not know `version`.  Never freed. */
typedef const struct ct_serve_api *ct_serve_function(uint32_t version);
