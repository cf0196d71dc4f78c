/*
 * The model: turns the reader's events into what happened - states, waits and who ended them, slices, tasks, counters -
 * and hands each to a sink as soon as it is over.  Its memory is that of what is under way (and of distinct stacks), not
 * of the trace.  Traces cut at either end, with holes, with threads nobody introduced, are its everyday food.
 *
 * Slices of one thread are properly nested (see row.h).  They come when they end: inner before outer, and threads mixed;
 * starts are not in order.  All times are ns as the reader's, within the range asked for.
 */
#pragma once

#include "converter/model/fds.h"
#include "converter/model/row.h"
#include "converter/model/stacks.h"
#include "converter/model/wakes.h"
#include "converter/read/expect.h"
#include "converter/read/reader.h"

enum ct_state {
    CT_STATE_UNKNOWN,
    CT_STATE_RUNNING,                   /* on a CPU, or wanting one: only the kernel could tell */
    CT_STATE_RUNNABLE,                  /* wanting one; from kernel sources */
    CT_STATE_WAITING,                   /* `reason` is a BEGIN event's number, or a POLL call when `call` is set */
    CT_STATE_SLEEPING,
    CT_STATE_CALL,                      /* in a call that took long: `call` */
    CT_STATE_END
};

struct ct_model_program {
    struct ct_read_program *read;
    struct ct_model_thread *threads;    /* all of them, newest first, through `next` */
    struct ct_fds fds;
    struct ct_counts *counts;           /* counters in the making; NULL once the program ended */
    uint64_t heap_total;
    uint64_t generation;                /* number of the last one; 0: none yet */
    int64_t generation_end_ns;
    bool ended;
    void *user;                         /* the sink's */
};

/* Something that waits for the thread's next event to know how much room it has: a wake, a start. */
struct ct_point {
    unsigned no;                        /* event; 0: there is none */
    int64_t start;
    uint64_t arg[2];
    uint32_t stack;                     /* node; CT_NODE_NONE unless wake_stacks are wanted */
};

/* What every event looks at stands together. */
struct ct_model_thread {
    _Alignas(CT_LINE) struct ct_read_thread *read;
    struct ct_model_program *program;
    void *user;                         /* the sink's */
    const void *near;                   /* where the sink is likely to write at the next event; NULL: it did not tell */
    struct ct_lane *lane;               /* of `cpu`; NULL: not asked for yet */
    int64_t since;                      /* of the state */
    enum ct_state state;
    unsigned reason, call;              /* of the state */
    int cpu;                            /* last seen on; -1 unknown */

    int64_t lane_since, lane_seen;      /* on it since, and last seen there */
    struct ct_open *open;               /* what began and did not end; the innermost is last */
    unsigned open_count, open_room;
    unsigned waits;                     /* how many of them are waits */
    bool on_lane, exited;
    bool scheduled;                     /* the kernel tells its states: nothing else does */
    struct ct_point point;

    _Alignas(CT_LINE) struct ct_row row;
    struct ct_model_thread *next;       /* of the program */
    char name[CT_NAME_MAX];             /* the newest; may be empty */
    struct ct_wake woken;               /* the last that the kernel told of */
    uint32_t unlock_stack;              /* node that was told for the unlock that comes next */
    unsigned too_deep;                  /* regions that began with the room used up: their ends are not drawn */
    char *names;                        /* texts of open regions, one behind the other */
    size_t names_used, names_room;
    struct ct_text end_told;            /* what the event that ends a region now tells */
    int64_t start_point, exit_point;    /* where the slices of its first and last act begin; CT_READ_NEVER */
};

enum ct_span_flags {
    CT_SPAN_CUT_START = 1,              /* it began before what the trace tells */
    CT_SPAN_CUT_END = 2,                /* it did not end within what the trace tells */
    CT_SPAN_LOST = 4,                   /* its end was among events that were dropped */
};

/* A slice on a thread's row: a region, a wait, a call, a pause, or a short act such as a wake. */
struct ct_span {
    struct ct_model_thread *thread;
    const uint64_t *arg;                /* the fields of event `no`: see args.h.  Its STRING and STACK fields: below */
    unsigned no;                        /* CT_EV_* of the event that began it or that is it */
    unsigned flags;
    unsigned depth;                     /* slices open around it; those that end later without having begun may come to it */
    uint32_t stack;                     /* node, see stacks.h */
    int64_t start, end;
    int64_t wake_ns;                    /* when the waker did; CT_READ_NEVER unknown */

    /* Of many, nothing of this: */
    const struct ct_read_generation *generation;    /* for strings of COMPLETE events; NULL for what had a BEGIN */
    const struct ct_read_event_info *info;          /* with no == 0: an event this version does not know */
    struct ct_text name;                /* region, kind of collector, path of open; empty when there is none */
    struct ct_text told;                /* of a region: see converter/read/told.h; empty: nothing */
    int64_t result;                     /* of a wait: 0 or a negative errno */
    struct ct_model_thread *waker;      /* of a wait, NULL unknown */
    bool name_lost;                     /* there was a name, the trace does not tell it */
};

struct ct_state_span {
    struct ct_model_thread *thread;
    enum ct_state state;
    unsigned reason, call;
    int64_t start, end;
};

/*
 * The thread was seen on the CPU and was not seen to leave it: an estimate from `seen` on; with `exact` the kernel told,
 * and `seen` is `end`.
 */
struct ct_lane_span {
    struct ct_model_thread *thread;
    unsigned host;                      /* dense number of the machine: of one boot, and one name */
    int cpu;
    int64_t start, end;
    int64_t seen;                       /* there, for the last time; within [start, end] */
    bool exact;
};

/* A moment on a thread's row: LOG, MARK, LABEL, LOST, FD ..., and events this version does not know. */
struct ct_moment {
    struct ct_model_thread *thread;
    const struct ct_read_event *event;
    uint32_t stack;                     /* of a sample: node, see stacks.h */
};

enum ct_arrow_kind { CT_ARROW_WAKE, CT_ARROW_CREATE, CT_ARROW_JOIN };

/* Both ends lie strictly inside a slice of that thread's row. */
struct ct_arrow {
    enum ct_arrow_kind kind;
    struct ct_model_thread *from, *to;
    int64_t from_ns, to_ns;
};

struct ct_task_span {
    struct ct_model_program *program;
    struct ct_model_thread *thread;     /* that began or ended it; NULL at the end of the program */
    uint64_t task, parent;
    struct ct_text name;
    bool name_lost;
    unsigned flags;                     /* enum ct_span_flags */
    int64_t start, end;
};

enum ct_counter_kind {
    CT_COUNTER_STATES,                  /* value[s]: threads in enum ct_state s */
    CT_COUNTER_IO,                      /* value[0] bytes/s in, value[1] out; [2], [3]: of these, over the network */
    CT_COUNTER_HEAP,                    /* value[0] bytes */
    CT_COUNTER_USER,                    /* value[0]; name */
};

struct ct_counter {
    struct ct_model_program *program;
    enum ct_counter_kind kind;
    struct ct_text name;
    int64_t ns;
    int64_t value[CT_STATE_END];
};

/* The tracer itself held the program up; or a time of which the trace tells nothing. */
struct ct_pause {
    struct ct_model_program *program;
    int64_t start, end;
    int64_t full_ns;                    /* also what lies before the trace's start */
    enum ct_pause_kind kind;
    uint64_t missing;                   /* not 0: no pause, but so many generations that are not in the trace */
};

/* What a sink wants to hear; NULL: not that.  Arguments are borrowed for the call. */
struct ct_model_sink {
    void (*program)(void *sink, struct ct_model_program *program);      /* first seen */
    void (*program_end)(void *sink, struct ct_model_program *program, int64_t ns);
    void (*thread)(void *sink, struct ct_model_thread *thread);         /* first seen, or it has another name */
    void (*span)(void *sink, const struct ct_span *span);
    /* In its place, of events IO, POLL and FILE: most slices are theirs, and there is no more to say of one. */
    void (*call)(void *sink, struct ct_model_thread *thread, const struct ct_read_event *event, int64_t start, int64_t end);
    void (*state)(void *sink, const struct ct_state_span *span);
    void (*lane)(void *sink, const struct ct_lane_span *span);
    void (*moment)(void *sink, const struct ct_moment *moment);
    void (*arrow)(void *sink, const struct ct_arrow *arrow);
    void (*task)(void *sink, const struct ct_task_span *task);
    void (*counter)(void *sink, const struct ct_counter *counter);
    void (*pause)(void *sink, const struct ct_pause *pause);
};

struct ct_model_options {
    int64_t from_ns, to_ns;             /* what lies outside is not handed out, what reaches out is clipped */
    bool stacks;
    bool wake_stacks;                   /* also those of the acts that end waits */
};

struct ct_model;

/* A model of what `reader` tells, for one sink.  Returns NULL when memory is short. */
struct ct_model *ct_model_new(struct ct_reader *reader, const struct ct_model_options *options,
                              const struct ct_model_sink *sink, void *context);
void ct_model_free(struct ct_model *model);

/* Takes the reader's next items: a run of events, or one of something else.  0, or -ENOMEM. */
int ct_model_items(struct ct_model *model, const struct ct_read_item *items, size_t count);

/* There are no more items: ends all that is under way. */
void ct_model_finish(struct ct_model *model);
/* The same when they end at `ns`, whatever the trace has behind it. */
void ct_model_end(struct ct_model *model, int64_t ns);

/* Borrowed until ct_model_free. */
const struct ct_stacks *ct_model_stacks(const struct ct_model *model);
