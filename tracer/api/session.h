/* The session that a program makes itself, without `ctrace record`, and what serves it; for trace_start() and trace_serve(). */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "format/serve.h"
#include "format/settings.h"
#include "record/entry.h"

/* Everything under `lock`. */
extern struct api_session {
    pthread_mutex_t lock;
    const struct ct_serve_api *serve;   /* NULL: not loaded */
    struct ct_settings settings;        /* of CTRACE_* variables, read at each start */
    char dir[sizeof ((struct ct_session_options *)0)->dir];     /* empty: there is none */
} api_session __attribute__((visibility("hidden")));

/* Reads the variables; -EINVAL with a line that ends in `result`. */
int api_session_settings(const char *result);
/* Loads libctrace-serve.so; -ELIBACC when it is not there. */
int api_session_library(void);
/* Makes a directory for the arena, unless there is one; it may be that none can be made. */
void api_session_dir(void);
/* It came to nothing: without an arena in it the directory goes. */
void api_session_undo_dir(void);
/* Opens the session, if there is none, in that directory; `served`: somebody listens there.  0 or a negative errno. */
int api_session_open(bool served);
