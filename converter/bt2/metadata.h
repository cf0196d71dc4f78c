/* What babeltrace2 wants to know of a trace before its first event: its classes, its streams, its environment. */
#pragma once

#include <babeltrace2/babeltrace.h>

#include "converter/bt2/dump.h"
#include "converter/bt2/value.h"
#include "converter/read/reader.h"

/* In the environment of a trace of states, which says nothing that is not said elsewhere. */
#define CT_BT2_STATES_MARK "ctrace_states"

/* The class of an event, and how its fields are set.  Those of the schema have no number here beyond that of the event. */
struct ct_bt2_event_class {
    bt_event_class *class;              /* NULL: not made yet */
    unsigned count;
    uint8_t types[CT_DUMP_FIELDS_MAX];
};

/* One traced program: a trace of babeltrace2's, with a stream a thread and one for the tables. */
struct ct_bt2_program {
    bt_trace_class *trace_class;
    bt_clock_class *clock_class;
    bt_stream_class *thread_class, *dump_class;
    bt_trace *trace;
    bt_stream *dump_stream;
    struct ct_bt2_event_class events[UINT8_MAX + 1], dumps[CT_DUMP_END];
};

/*
 * Makes all of it for a program of `reader` but the events' classes, which are made when the first one comes.
 * Returns 0 or -ENOMEM; what was made is freed by ct_bt2_program_fini either way.
 */
int ct_bt2_program_init(struct ct_bt2_program *p, bt_self_component *component, const struct ct_reader *reader,
                        const struct ct_read_program *program);
void ct_bt2_program_fini(struct ct_bt2_program *p);

/* The clock is that of a machine since its start, which viewers know traces of one machine by; LTTng's tracers say the same. */
void ct_bt2_clock_of_boot(bt_clock_class *clock, const uint8_t boot_id[CT_UUID_SIZE]);

/* The class of an event of the program, NULL without memory.  Borrowed. */
const struct ct_bt2_event_class *ct_bt2_event_class(struct ct_bt2_program *p, const struct ct_read_event_info *info);

/* That of a table; ct_bt2_program_init has made all of them. */
const struct ct_bt2_event_class *ct_bt2_dump_class(struct ct_bt2_program *p, enum ct_dump no);

/* A new stream for a thread, of which the trace holds a reference too; NULL without memory.  Borrowed. */
bt_stream *ct_bt2_thread_stream(struct ct_bt2_program *p, const struct ct_read_thread *thread);
