/* A late reply: one connection of the loop, what it waits for and what comes next. */
#pragma once

#include <poll.h>

#include "serve/loop.h"

enum {
    CT_LATE_CHUNK = 64 << 10,       /* of a stream, at a time */
    CT_LATE_STALL_MS = 30000,       /* a client that takes nothing for so long has gone */
    CT_LATE_WHOLE_MS = 300000,      /* nor may a reply that is whole take longer than this */
    CT_LATE_LINGER_MS = 2000,
};

enum ct_late_next {
    CT_LATE_STAYS,
    CT_LATE_IS_DUE,                 /* its profile is to be made */
    CT_LATE_ENDS,
};

/* What to poll: the client, and the stream's source or the end of what a window is over.  When to look at it at the latest. */
int64_t ct_late_poll(struct ct_late *late, struct pollfd pair[2]);
/* Does what can be done without waiting. */
enum ct_late_next ct_late_step(struct ct_late *late, const struct pollfd pair[2], int64_t now);
/* Makes the reply of a window whose time is over.  May take long. */
void ct_late_make(struct ct_late *late);

/* A reply that is whole is to be sent, but for its body when that is not wanted. */
void ct_late_whole(struct ct_late *late, bool head_only, bool keep, int64_t now);
/* A window begins to wait, a stream is to send its head, and chunks when the client knows them.  0 or -ENOMEM. */
int ct_late_begin(struct ct_late *late, bool chunked, int64_t now);
