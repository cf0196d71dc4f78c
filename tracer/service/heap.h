/* What there is to say of a program's heap beside its samples. */
#pragma once

#include "format/heap_facts.h"
#include "converter/profile/pauses.h"
#include "serve/reply.h"
#include "service/state.h"

enum { CT_HEAP_TRIM_S = 10 };           /* gc=1 within so many seconds of another does nothing */

/*
 * Has the program's allocator tell of itself, and, when `trim`, give free memory back before, unless that was done a moment
 * ago.  What came of gc=1 is written into `said`, one line; "" when it was not asked for.
 */
void ct_service_heap(struct ct_service *s, struct ct_served *one, bool trim, struct ct_heap_facts *ret, char said[160]);

/* The tail of heap?debug=1: comments as "# Key = value". */
void ct_heap_put_tail(struct ct_reply *reply, pid_t pid, const struct ct_heap_facts *facts, const struct ct_pauses *pauses);
