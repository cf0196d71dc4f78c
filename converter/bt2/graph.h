/* Graphs of babeltrace2's: what every one of ours does alike. */
#pragma once

#include <babeltrace2/babeltrace.h>

#include "format/error.h"

/*
 * Fills `err` with what babeltrace2 says went wrong, its innermost cause first, and is -EIO (-ENOMEM without memory).
 * words: a file that its log went to, for reasons that are told only there; 0: none.
 */
int ct_bt2_error(struct ct_error *err, const char *doing, int words);

/* Adds the errors of a log to `err`, which has `told` causes; how many it has then. */
size_t ct_bt2_add_words(struct ct_error *err, int words, size_t told);

/* Runs the graph to its end.  0, or negative with `err`. */
int ct_bt2_run(bt_graph *graph, const char *doing, struct ct_error *err);
