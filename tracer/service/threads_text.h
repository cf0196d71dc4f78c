/* Threads as text: one after the other, and the locks that they wait for. */
#pragma once

#include <stdint.h>

#include "converter/profile/profile.h"
#include "serve/reply.h"
#include "service/threads_rows.h"

/* Each thread with name, state, what it waits for and how long, and its stack: stack[i] of the profile is row i's. */
void ct_threads_put_each(const struct ct_threads *t, const struct ct_profile *p, const uint32_t *stack, struct ct_reply *reply);
/* Comments: each lock that is waited for with its holder and who waits, then each deadlock. */
void ct_threads_put_locks(const struct ct_threads *t, struct ct_reply *reply);
