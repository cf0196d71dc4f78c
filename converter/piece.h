/* The parts of sink_trace: a piece under way, what its events refer to, and how it begins. */
#pragma once

#include "converter/build.h"
#include "converter/read/trace.h"
#include "converter/sink_trace.h"

/* Something that began before the piece and has not ended: it begins with the piece. */
struct open_begin {
    const struct ct_read_event_info *info;
    struct ct_event event;
};

/* A thread while the reader is before the piece. */
struct early_thread {
    const struct ct_read_thread *thread;
    bool nested;
    struct ct_thread_row row;
    CT_LIST(struct open_begin) open;
};

/* A stack of the generation under way; its frames are pcs[first ...]. */
struct stack_copy {
    uint32_t depth, truncated, first;
    bool written;                       /* an event of the piece refers to it */
};

struct piece_program {
    struct ct_program *from;
    struct ct_build_program *to;
    struct ct_build_generation *generation;     /* under way; NULL: none yet */
    struct ct_event_info *infos[256];           /* in the words of ct_event_put */
    struct ct_idmap stacks;                     /* of `generation`: hash of the frames -> place in stack_ids */
    CT_LIST(struct stack_copy) stack_copies;
    CT_LIST(uint64_t) pcs;                      /* of stack_copies */
    struct ct_idmap used_pcs;                   /* of the whole program: whose names are needed */
    CT_LIST(struct early_thread) early;         /* threads, while it is before the range */
    struct ct_idmap early_places;
    bool before;                                /* `generation` began before the range */
    bool seen;                                  /* something of it lies within the range */
};

struct piece {
    struct ct_reader *reader;
    struct ct_sink_trace_options options;
    struct ct_output *out;
    struct ct_error *err;
    struct ct_build build;
    struct piece_program *programs;
    unsigned program_count;
    const struct ct_build_program *written;     /* whose blocks came last */
    char cover[200];
};

/* Times of the timeline as the program's ticks; CT_READ_NEVER is 0, and nothing else is. */
uint64_t piece_ticks(const struct piece_program *p, int64_t ns);
struct ct_clock_sample piece_clock(const struct piece_program *p, int64_t ns);

/* Notes that the names of a code address are wanted. */
int piece_use_pc(struct piece_program *p, uint64_t pc);

/* The event as the tables of the generation under way say it. */
int piece_take_apart(struct piece *piece, struct piece_program *p, const struct ct_read_event *event, struct ct_event *ret);

/* Appends an event that was taken apart. */
int piece_append(struct piece_program *p, uint64_t serial, bool nested, const struct ct_read_event_info *info,
                 const struct ct_event *event);

/* What is known of a thread before the range; NULL without memory. */
struct early_thread *piece_early_thread(struct piece_program *p, const struct ct_read_thread *thread, bool nested);

/* Follows what a thread does before the range, so that the piece can begin with it. */
int piece_note(struct piece *piece, struct piece_program *p, const struct ct_read_event *event);

/* The range begins: rows say what threads are doing now, and what they have open begins now. */
int piece_enter(struct piece *piece, struct piece_program *p);

/* Adds a thread's row to the generation under way. */
int piece_put_row(struct piece_program *p, const struct ct_thread_row *row);
