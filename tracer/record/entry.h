/* The one door into the recorder: what libctrace.so and libctrace-serve.so may ask of libctrace-rt.so. */
#pragma once

#include <stdint.h>

#include "record/gate.h"
#include "record/session_state.h"

enum { CT_ENTRY_VERSION = 1 };

struct ct_entry {
    uint32_t version, size;
    const _Atomic uint32_t *gate;                   /* CT_GATE_SHUT: nothing is recorded; anything else: call and see */

    /* The session.  0 or a negative errno. */
    void (*default_options)(struct ct_session_options *ret);
    int (*open)(const struct ct_session_options *options);      /* -EALREADY when there is one */
    struct ct_arena *(*arena)(void);                /* NULL: no session */
    int (*ask)(int request, int fd, const char *text);          /* enum ct_control_request */
    int (*recording)(void);                         /* 1 while the gate is open */
    int (*recorded)(void);                          /* 1 under `ctrace record` */
    void (*skip_code)(const void *code);            /* frames of the module with this code are left out of stacks */
    void (*forget_arena_file)(void);                /* removes its name: nothing is left to recover */

    /* Annotations; as the trace_* functions of the same name. */
    uint64_t (*task_begin)(const char *name, uint64_t parent);
    void (*task_end)(uint64_t task);
    void (*region_begin)(const char *name, uint64_t task);
    void (*region_end)(void);
    void (*log)(uint64_t task, const char *category, const char *text, size_t size);
    void (*instant)(const char *name);
    void (*counter)(const char *name, int64_t value);
    int (*label_set)(const char *key, const char *value);
    int (*label_begin)(const char *key, const char *value);
    void (*label_end)(const char *key);
    void (*thread_name)(const char *name);
    void (*gc_begin)(const char *kind);
    void (*gc_end)(void);

    int64_t (*rate_set)(int which, int64_t value);  /* enum ct_rate */
    int (*own_threads)(void);                       /* of ctrace's in this process, now */
    int (*malloc_is_libc)(void);                    /* 1: the program's allocator is libc's */

    void (*hide_thread)(void);                      /* the calling thread is ctrace's own: it leaves no trace */

    /* The program's own profiles; as the trace_profile_* functions of the same name, and the number of one, or -ENOENT. */
    int (*profile_new)(const char *name);
    int (*profile_add)(int profile, const void *value, int skip);
    int (*profile_remove)(int profile, const void *value);
    int (*profile_count)(int profile);
    int (*profile_find)(const char *name);

    int (*lttng_enable)(void);                      /* 0, or a negative errno after a line on stderr */
};

/* Exported.  The table, or NULL when this recorder does not know `version`.  Never freed. */
const struct ct_entry *ct_recorder(uint32_t version);
