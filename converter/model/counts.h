/*
 * Counters that the model makes of a program: threads by state and bytes of I/O per second, sampled at even steps.
 * Changes may be told late - a long call is known when it ends - so samples are handed out some time behind.
 */
#pragma once

#include "converter/model/model.h"

struct ct_counts;

/* For a trace that begins at `start_ns` and ends at about `end_ns`: the steps follow from its length.  NULL: no memory. */
struct ct_counts *ct_counts_new(int64_t start_ns, int64_t end_ns);
void ct_counts_free(struct ct_counts *counts);

/* At `ns` one thread went from one state to another; `from` and `to` may be CT_STATE_UNKNOWN (not counted). */
void ct_counts_state(struct ct_model *m, struct ct_model_program *p, enum ct_state from, enum ct_state to, int64_t ns);

/* At `ns` a call had moved bytes, perhaps none; `out` 0: into the program, 1: out of it; `network`: over TCP or UDP. */
void ct_counts_io(struct ct_model *m, struct ct_model_program *p, unsigned out, bool network, uint64_t bytes, int64_t ns);

/* The allocator holds `total` bytes; handed out at once, but not a 0 that was never anything else. */
void ct_counts_heap(struct ct_model *m, struct ct_model_program *p, uint64_t total, int64_t ns);

/* Hands out all that is left. */
void ct_counts_finish(struct ct_model *m, struct ct_model_program *p);
