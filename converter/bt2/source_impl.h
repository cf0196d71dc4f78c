/* What source.c, iterator.c, stream.c and tell.c share. */
#pragma once

#include "converter/bt2/metadata.h"
#include "converter/bt2/source.h"
#include "converter/bt2/states.h"
#include "converter/read/idmap.h"
#include "converter/read/list.h"

/* The trace of the states of one host's threads. */
struct ct_bt2_host {
    char name[256];
    bt_trace *trace;
    CT_LIST(bt_stream *) streams;       /* by number of the CPU; NULL: none yet */
};

/* Classes of the events that tell of states, which are those of LTTng's kernel tracer. */
struct ct_bt2_state_classes {
    bt_trace_class *trace;
    bt_clock_class *clock;
    bt_stream_class *stream;
    bt_event_class *process, *switches, *wakeup, *exit;
    CT_LIST(bt_event_class *) calls;    /* two for each name of a call: its entry and its exit; NULL: none yet */
    CT_LIST(struct ct_bt2_host) hosts;
    unsigned *host_of;                  /* by program */
};

struct ct_bt2_source {
    struct ct_bt2_source_options options;
    struct ct_bt2_program *programs;    /* as many as the reader's */
    unsigned program_count;
    CT_LIST(bt_stream *) streams;       /* of the reader's threads, by index; NULL: none yet */
    struct ct_bt2_state_classes states;
};

struct ct_bt2_thread {
    bt_stream *stream;                  /* borrowed; NULL: it did not begin */
    bt_packet *packet;                  /* that is open; NULL: none */
};

/* What was told of a program's tables. */
struct ct_bt2_told {
    bool begun, ended;                  /* the stream of them */
    bt_packet *packet;                  /* that is open; NULL: none */
    size_t modules, frames;             /* of the program's lists */
};

/* A stream of states that began. */
struct ct_bt2_cpu {
    bt_stream *stream;                  /* borrowed */
    bt_packet *packet;
    unsigned events;                    /* in the packet */
};

struct ct_bt2_iterator {
    struct ct_bt2_source *source;
    bool tells_states;                  /* it is that of the port of states, and what follows is all it has */
    bool drains;                        /* the reader has no more */
    struct ct_bt2_states states;
    CT_LIST(struct ct_bt2_cpu) cpus;
    struct ct_idmap cpu_places;                 /* by address of the stream */
    bt_self_message_iterator *self;
    struct ct_reader *reader;
    CT_LIST(struct ct_bt2_thread) threads;      /* by index of the reader's */
    CT_LIST(unsigned) open;                     /* threads with an open packet */
    struct ct_bt2_told *told;                   /* by program */
    CT_LIST(const bt_message *) queue;          /* made, not handed out yet */
    size_t queue_at;                            /* the next one to go */
    int64_t now;                                /* of the newest message, ns */
    uint64_t items;
    bool ended;
    int failed;                                 /* what is reported when all has been handed out */
    struct ct_error err;
};

/* Queues a message; takes the reference, also on failure.  0 or -ENOMEM, also for NULL. */
int ct_bt2_queue(struct ct_bt2_iterator *it, const bt_message *message);

/* The thread's packet, after what is due before its first event: the beginnings of stream and packet.  NULL: no memory. */
bt_packet *ct_bt2_thread_packet(struct ct_bt2_iterator *it, const struct ct_read_thread *thread);
/* Its packet ends, so many events were lost, and another begins. */
int ct_bt2_thread_lost(struct ct_bt2_iterator *it, const struct ct_read_thread *thread, uint64_t count);
/* Its packet ends, and another begins. */
int ct_bt2_thread_renew(struct ct_bt2_iterator *it, const struct ct_read_thread *thread);
/* Ends the open packets of a program's threads; NULL: of all programs. */
int ct_bt2_close_packets(struct ct_bt2_iterator *it, const struct ct_read_program *program);
/* A new packet in the stream of a program's tables, which begins with the first one; and the end of it. */
int ct_bt2_begin_tables(struct ct_bt2_iterator *it, const struct ct_read_program *program);
int ct_bt2_end_tables(struct ct_bt2_iterator *it, const struct ct_read_program *program);
/* Ends the streams of all threads that began. */
int ct_bt2_end_streams(struct ct_bt2_iterator *it);

/* Queues what the tables say: of a program at its start, of a generation, of a program at its end. */
int ct_bt2_tell_program(struct ct_bt2_iterator *it, const struct ct_read_program *program);
int ct_bt2_tell_generation(struct ct_bt2_iterator *it, const struct ct_read_generation *generation);
int ct_bt2_tell_end(struct ct_bt2_iterator *it, const struct ct_read_program *program);

/* state_classes.c: 0 or -ENOMEM.  `name` and `has_fd` are of a call. */
int ct_bt2_state_classes_init(struct ct_bt2_state_classes *c, bt_self_component *component, const struct ct_reader *reader);
void ct_bt2_state_classes_fini(struct ct_bt2_state_classes *c);
bt_event_class *ct_bt2_call_class(struct ct_bt2_state_classes *c, bool entry, unsigned no, const char *name, bool has_fd);
/* The stream of a CPU, or NULL without memory.  Borrowed. */
bt_stream *ct_bt2_cpu_stream(struct ct_bt2_state_classes *c, unsigned program, unsigned cpu);

/* state_messages.c: queues some of what can be told now, with `all` of whatever there is: 1, 0 there is none, -ENOMEM. */
int ct_bt2_tell_states(struct ct_bt2_iterator *it, bool all);
/* And the ends of streams.  0 or -ENOMEM. */
int ct_bt2_end_states(struct ct_bt2_iterator *it);

/* Clock value of a moment: what began before the trace is shown at its start. */
static inline uint64_t ct_bt2_clock(int64_t ns)
{
    return ns < 0 ? 0 : (uint64_t)ns;
}
