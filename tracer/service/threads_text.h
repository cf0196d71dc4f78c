/* Threads as text: one after the other, and the locks that they wait for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "converter/profile/profile.h"
#include "format/thread_dump.h"
#include "serve/reply.h"

/* Rows of a dump that are to be told, with what is found by tid. */
struct ct_threads {
    const struct ct_thread_dump *rows;
    size_t count;
    uint32_t *by_tid;                   /* numbers of rows */
};

/* The rows are borrowed.  0 or -ENOMEM. */
int ct_threads_init(struct ct_threads *t, const struct ct_thread_dump *rows, size_t count);
void ct_threads_fini(struct ct_threads *t);

/* Each thread with name, state, what it waits for and how long, and its stack: stack[i] of the profile is row i's. */
void ct_threads_put_each(const struct ct_threads *t, const struct ct_profile *p, const uint32_t *stack, struct ct_reply *reply);
/* Comments: each lock that is waited for with its holder and who waits, then each deadlock. */
void ct_threads_put_locks(const struct ct_threads *t, struct ct_reply *reply);
