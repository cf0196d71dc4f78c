/* The process as one that may be traced: options, arena, birth, fork, end. */
#pragma once

#include "record/session_state.h"

/* Makes the session of this process by `options`: the control thread and the arena.  0 or a negative errno. */
int ct_session_open(const struct ct_session_options *options);

/* Hooks for wrappers. */
void ct_session_forked_child(void);             /* first act of a child of fork(), before anything is recorded in it */
void ct_session_ending(int status);             /* exit(), _exit(), quick_exit(): nothing more will be recorded after */
/* An exec is coming / has failed.  Between them the control thread is gone. */
void ct_session_before_exec(void);
void ct_session_after_exec(void);
/* The calling thread has a new user or new groups: the control thread becomes the same.  Keeps errno. */
void ct_session_new_identity(void);
/* Namespaces are about to change: no second thread may exist.  Pairs nest. */
void ct_session_alone_begin(void);
void ct_session_alone_end(void);
