/* Programs that can be reached now: those that record, or could, for somebody of this user. */
#pragma once

#include "drain/session.h"

struct ct_listed {
    pid_t pid;
    char program[64];               /* the name it was started by; any bytes */
    int64_t since_s;                /* when the process began, CLOCK_REALTIME */
    uint32_t phase;                 /* enum ct_arena_phase */
    uint64_t categories;            /* that it records, or would */
    uint32_t drainer;               /* the process that drains it; 0: none */
    char session[CT_SESSION_PATH];
    char place[160];                /* where it is served; empty: nowhere */
};

/*
 * All there are, by session and pid; free() them.  Reads what is in this user's session directories, believes none of it, and
 * changes nothing.  0 or -ENOMEM.
 */
int ct_list_processes(struct ct_listed **ret, size_t *ret_count);
