/* Generations: opening the gate, turning, shutting.  Control thread only. */
#pragma once

#include "format/arena.h"

/* Opens the gate with a new generation; -EALREADY when it is open. */
int ct_turn_start(struct ct_arena *a);
/* A thread of ours that is no part of the program (the drain inside of it): it gets no row.  0: there is none. */
void ct_turn_hide(uint32_t tid);
/* Ends the current generation and begins the next; put off while the drainer is several behind. */
void ct_turn(struct ct_arena *a);
/* Shuts the gate; the generation stays the last one. */
void ct_turn_stop(struct ct_arena *a);
/* Nanoseconds until the next turn is due; 0 now, -1 never (the gate is shut). */
int64_t ct_turn_due_ns(const struct ct_arena *a);
