/* Generations: opening the gate, turning, shutting.  Control thread only. */
#pragma once

#include "format/arena.h"

/* Who wants the gate to be open: whoever drains for a file of its own, what trace_start() began under `ctrace record`, LTTng. */
enum ct_turn_wanting { CT_TURN_FOR_CTRACE = 1, CT_TURN_FOR_PROGRAM = 2, CT_TURN_FOR_LTTNG = 4 };
/* Records these categories from now on, and begins a generation with that if one is under way. */
void ct_turn_categories(struct ct_arena *a, uint64_t categories);
/* LTTng wants these categories as well, 0: nothing; opens or shuts the gate if it is alone. */
void ct_turn_tap(struct ct_arena *a, uint64_t categories);
/* The same, but of the gate: it is about to be opened for somebody else as well, by ct_turn_want(). */
void ct_turn_tap_with(struct ct_arena *a, uint64_t categories);
/* LTTng closes as the process ends: each event is asked about until then (ct_tap()), whoever wants it.  Any thread. */
void ct_turn_tap_closes(void);
/* Takes CPU samples at this rate from now on; one that cannot be is ignored. */
void ct_turn_cpu_rate(struct ct_arena *a, int64_t rate);
/* Begins a new generation, and opens the gate unless it is open; -EALREADY when `who` wants it already. */
int ct_turn_want(struct ct_arena *a, enum ct_turn_wanting who);
/* Shuts the gate when nobody else wants it; the generation stays the last one. */
void ct_turn_want_no_more(struct ct_arena *a, enum ct_turn_wanting who);
void ct_turn_want_nothing(struct ct_arena *a);
/* How long a generation is when nobody ends it before. */
void ct_turn_pace(uint64_t ns);
/* Any thread: a table fills, and only a turn makes room.  Turns come as quickly as they ever do for a while. */
void ct_turn_crowded(void);
/* In a forked child: nobody has asked for anything. */
void ct_turn_forget(void);
/* Ends the current generation and begins the next; put off while the drainer is several behind. */
void ct_turn(struct ct_arena *a);
/* Nanoseconds until the next turn is due; 0 now, -1 never (the gate is shut). */
int64_t ct_turn_due_ns(const struct ct_arena *a);
