/*
 * Our source component for babeltrace2's graphs: a trace, read by the reader, as messages.  Two output ports: one
 * with a stream for each thread, whose packets are what it did in one generation, and a stream for the tables of each program;
 * and "states", which says once more what threads did, as LTTng's kernel tracer would.
 */
#pragma once

#include <babeltrace2/babeltrace.h>

#include "converter/bt2/source_options.h"

/*
 * For the initialize method of a component, whatever way it has to options.  0, -ENOMEM, or what the reader said, with
 * `err`; then nobody calls free_owner.
 */
int ct_bt2_source_init(bt_self_component_source *self, const struct ct_bt2_source_options *options, struct ct_error *err);

/* Its other methods. */
void ct_bt2_source_fini(bt_self_component_source *self);
bt_message_iterator_class_initialize_method_status ct_bt2_iterator_init(bt_self_message_iterator *self,
                                                                        bt_self_message_iterator_configuration *configuration,
                                                                        bt_self_component_port_output *port);
void ct_bt2_iterator_fini(bt_self_message_iterator *self);
bt_message_iterator_class_next_method_status ct_bt2_iterator_next(bt_self_message_iterator *self,
                                                                  bt_message_array_const messages, uint64_t capacity,
                                                                  uint64_t *count);
bt_message_iterator_class_seek_beginning_method_status ct_bt2_iterator_seek_beginning(bt_self_message_iterator *self);
