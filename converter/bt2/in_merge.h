/* The sink of the graph that reads CTF: messages of all streams, one after the other in the order of time. */
#pragma once

#include "converter/bt2/in.h"

/* Adds the sink with `ports` input ports, whose messages go to ct_in_message.  0, or negative with `err`. */
int ct_in_merge_add(bt_graph *graph, struct ct_in *in, unsigned ports, const bt_component_sink **ret, struct ct_error *err);
