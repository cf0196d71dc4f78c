/* Arenas that nobody writes and nobody drains: what killed programs leave behind. */
#pragma once

#include "drain/session.h"
#include "format/arena.h"

/* One arena file of this user, opened for the time of a visit. */
struct ct_dead {
    struct ct_session_dir *session;
    uint8_t arena_id[CT_UUID_SIZE];
    int fd;
    uint64_t size;
    bool whole;                     /* it can be read; the fields below are set */
    bool writer_lives;
    uint32_t pid;
    char program[64];
    struct ct_session_target target;
    bool has_target;
};

/*
 * Calls `visit` for each arena in session directories that nobody drains; `dead` is borrowed.  The session is taken for
 * `use` meanwhile, see ct_session_take.  With FOLD, what can be of no use to anybody is removed: files that are no arenas,
 * directories without arenas.  Stops when `visit` returns other than 0, and returns that.
 */
int ct_dead_each(enum ct_session_use use, unsigned patience_ms, int (*visit)(void *context, struct ct_dead *dead),
                 void *context);

/* The same in one session directory, which may be held by the caller; with FOLD it is closed when it was removed. */
int ct_dead_session(struct ct_session_dir *s, enum ct_session_use use, int (*visit)(void *context, struct ct_dead *dead),
                    void *context);

/* Whether the process that an arena belongs to is still there; `head` is a copy of its head. */
bool ct_dead_writer_lives(const struct ct_arena *head);
