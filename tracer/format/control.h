/*
 * What a traced program and `ctrace` say to each other over the control socket (SOCK_SEQPACKET, one struct a packet).
 * The program connects to SESSIONDIR/ctl and says HELLO; after that both sides may speak at any time.  A hang-up means
 * that the program image is gone (exit, kill, exec) or that `ctrace` is.
 */
#pragma once

#include <stdint.h>

#include "format/limits.h"

#define CT_CONTROL_SOCKET "ctl"         /* within the session directory */
#define CT_SESSION_ENV "CTRACE_SESSION" /* set by `ctrace record`: see struct ct_session_options in record/session_state.h */
#define CT_SESSION_FILTERED '!'         /* its first byte once the process is behind a filter of system calls that kills */

enum ct_control_kind {
    /* program -> ctrace */
    CT_CONTROL_HELLO = 1,               /* descriptor: the arena; `pid`, `arena_id` are its */
    CT_CONTROL_CONSUMER = 2,            /* descriptor: a file opened by trace_start(); drain the recording into it too */
    CT_CONTROL_UNCONSUME = 3,           /* trace_stop(): end the file that CONSUMER opened; REPLY when it is whole */
    CT_CONTROL_STACKS = 4,              /* descriptor: what THREADS asked for (format/thread_dump.h), and value: how many rows, or
                                         * -errno; or one struct ct_heap_facts, as HEAP asked; or of struct ct_value_dump,
                                         * as VALUES asked */
    CT_CONTROL_SERVE = 5,               /* descriptor: a struct ct_serve_http (format/serve.h); REPLY when it is served */
    CT_CONTROL_PROFILE = 6,             /* descriptor: a socket, by which all else is said: see struct ct_control_profile */

    /* ctrace -> program */
    CT_CONTROL_TURN = 16,               /* turn the generation now */
    CT_CONTROL_START = 17,              /* open the gate */
    CT_CONTROL_CATEGORIES = 19,         /* record these from now on: value is a bit mask */
    CT_CONTROL_STOP = 18,               /* shut the gate, turn, then REPLY */

    CT_CONTROL_THREADS = 20,            /* tell what every thread is doing */
    CT_CONTROL_CPU_RATE = 21,           /* take CPU samples value times a second from now on */
    CT_CONTROL_HEAP = 22,               /* tell what the allocator says of itself; value: enum ct_control_heap */
    CT_CONTROL_PACE = 23,               /* turn by yourself after this many nanoseconds from now on */
    CT_CONTROL_VALUES = 24,             /* tell the values of profile number value of the arena's */

    CT_CONTROL_REPLY = 32,              /* both ways: value = 0 or a negative errno, to the last request */
};

enum ct_control_heap {
    CT_CONTROL_HEAP_TELL = 0,
    CT_CONTROL_HEAP_TRIM = 1,           /* and give free memory back before */
    CT_CONTROL_HEAP_GLANCE = 2,         /* wait for nobody: is it libc's at all? */
};

struct ct_control_message {
    uint32_t kind;
    uint32_t pid;
    int64_t value;
    uint8_t arena_id[CT_UUID_SIZE];
    char text[96];                      /* HELLO: program's short name; CONSUMER: the path, for messages */
};

enum ct_control_profile_what {
    CT_CONTROL_PROFILE_NOW = 1,         /* the profile `name`, as it is now */
    CT_CONTROL_PROFILE_CPU_BEGIN = 2,   /* -EALREADY when this program image has begun one in the same way */
    CT_CONTROL_PROFILE_CPU_END = 3,     /* -ESRCH when it has not */
    CT_CONTROL_PROFILE_HTTP = 4,        /* a stream, in which a struct ct_serve_call follows; its answer is not the one below */
};

/* What there is by NOW in every program, beside profiles of its own; and what else is a name of something in /debug/pprof/. */
#define CT_CONTROL_PROFILES "heap", "allocs", "block", "mutex", "threads", "threadcreate"
#define CT_CONTROL_OTHER_NAMES "profile", "trace", "symbol", "cmdline", "goroutine", "cpu"

/*
 * What a thread of the program asks for, and waits for beside the control thread, which has turns to make: one packet in the
 * socket that comes with CT_CONTROL_PROFILE.  By it comes one answer, with a file without a name that holds the profile.
 */
struct ct_control_profile {
    uint32_t what;                      /* enum ct_control_profile_what */
    int32_t debug;                      /* of NOW: as ?debug= */
    char name[CT_VALUE_NAME];           /* of NOW */
};

struct ct_control_profile_answer {
    int32_t result;                     /* 0, or a negative errno; a descriptor comes with 0 unless it was CPU_BEGIN */
};
