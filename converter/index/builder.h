/* The index in the making: one sink of the model, and what its files share.  Not for others. */
#pragma once

#include "converter/index/heap.h"
#include "converter/index/store.h"
#include "converter/index/strings.h"
#include "converter/model/model.h"

#define CT_BUILD_TO_NS (INT64_C(1) << 53)       /* what lies behind, a browser could not count */

enum { CT_PACKED_ROWS = 64 };           /* of tasks, of pauses: as many at once lie side by side, then they are cut */

/* What overlaps, as rows where it does not. */
struct ct_packed {
    uint32_t lane;                      /* CT_INDEX_NONE: not there yet */
    struct ct_row_live *row[CT_PACKED_ROWS];
    unsigned count;
};

struct ct_user_counter {
    uint32_t name;                      /* of the strings */
    struct ct_row_live *row;
};

enum { CT_NEAR_DEPTHS = 3 };

/* What a slice needs is one line of memory.  What is summed up here the lane's record gets when somebody looks at it. */
struct ct_build_thread {
    _Alignas(CT_LINE) uint32_t lane;
    unsigned depths;
    struct ct_row_live **depth;         /* `near_depth`, or more of them */
    struct ct_row_live *near_depth[CT_NEAR_DEPTHS];
    int64_t start, seen;                /* the first and the last that was heard of it */
    struct ct_build_thread *changed;    /* the next one whose record has not this yet; itself: the last; NULL: its record has */
    _Alignas(CT_LINE) struct ct_row_live *state, *samples, *marks, *lost;
    uint32_t running, maybe;            /* its names on CPUs; 0: none of its present name yet */
    int64_t busy, ns[CT_CLASS_END];
};

struct ct_build_owner {                 /* of a program */
    uint32_t id;
    struct ct_packed pauses, tasks;
    struct ct_row_live *threads[4], *io[2], *network[2], *heap;
    CT_LIST(struct ct_user_counter) counters;
    size_t near_counter;                /* of them: the one that was told of last */
};

/* An event that this version does not know. */
struct ct_new_event {
    const struct ct_read_event_info *info;
    uint16_t event;
};

/* A string of a generation that was asked for lately. */
struct ct_near_string {
    const struct ct_read_generation *generation;
    uint64_t number, id;
    uint32_t string;
};

enum { CT_NEAR_CPUS = 256, CT_NEAR_STRINGS = 256, CT_NEAR_NAME_BITS = 9 };

struct ct_builder {
    struct ct_reader *reader;
    struct ct_model *model;
    _Alignas(CT_LINE) struct ct_heap heap;      /* the coder's, as long as there is one, and what follows it too */
    CT_LIST(uint64_t) page_sums;        /* of the pages of the heap that are full */
    _Alignas(CT_LINE) struct ct_strings strings;
    struct ct_names names;
    CT_LIST(uint64_t) addresses;        /* that arguments have, each once */
    struct ct_idmap address_places;
    CT_LIST(struct ct_event_record) events;
    CT_LIST(struct ct_new_event) new_events;
    CT_LIST(struct ct_program_record) programs;
    CT_LIST(struct ct_lane_record) lanes;
    struct ct_build_thread *changed;    /* see there; NULL: none */
    CT_LIST(struct ct_row_live *) rows;
    CT_LIST(struct ct_row_live *) cpus; /* rows by host and CPU */
    struct ct_column flows;
    struct ct_summary_record summary;
    struct ct_row_live *near_cpu[CT_NEAR_CPUS];     /* of the first host */
    struct ct_idmap cpu_places;
    struct ct_near_string near_string[CT_NEAR_STRINGS];
    uint32_t near_name[1 << CT_NEAR_NAME_BITS];  /* names that were asked for lately */
    uint32_t event_name[CT_EV_END], call_name[CT_CALL_END + 1], call_state[CT_CALL_END + 1], state_name[CT_STATE_END];
    int64_t bin_ns, bin_start, bin_end; /* how long the overview's are, and the one that was filled last */
    unsigned bin;
    uint64_t revision;
    bool no_memory, too_many_rows;
    uint8_t scratch[CT_EVENT_FIELDS_MAX * (CT_EVENT_TEXT_MAX + 8) + 64];
};

/* NULL without memory.  `fd` is given to it, also then. */
struct ct_builder *ct_builder_new(struct ct_reader *reader, int fd);
void ct_builder_free(struct ct_builder *builder);

/* The reader's next items; 0 or a negative errno (no memory, no space). */
int ct_builder_items(struct ct_builder *builder, const struct ct_read_item *items, size_t count);

/* Waits until its threads are at rest: its trees and its heap can be looked at until it gets more items. */
void ct_builder_rest(struct ct_builder *builder);

/* The tables as they are, for questions; it is at rest. */
void ct_builder_store(const struct ct_builder *builder, struct ct_store *ret);

/* The trace that its reader follows has grown: it lasts longer now. */
void ct_builder_grow(struct ct_builder *builder);
/* Machines that are several by now; with `names` functions have names that had none, and so threads and pools of them. */
void ct_builder_tell_apart(struct ct_builder *builder, bool names);
/* Sums by bins of the overview, each `from_ns` long, as sums by bins of `to_ns`. */
void ct_build_resample(const int64_t *from, int64_t from_ns, int64_t *to, int64_t to_ns);
/* Makes the bins those of a trace that does not grow any more. */
void ct_build_settle_bins(struct ct_builder *b);

/* There are no more items: all rows become trees.  0 or a negative errno. */
int ct_builder_finish(struct ct_builder *builder);

/* --- lanes.c --- */

/* New ones; NULL or CT_INDEX_NONE without memory. */
uint32_t ct_build_lane(struct ct_builder *b, const struct ct_lane_record *record);
struct ct_row_live *ct_build_row(struct ct_builder *b, uint32_t lane, enum ct_index_row_kind kind, unsigned depth,
                                 const char *name);

struct ct_build_owner *ct_build_owner_of(struct ct_builder *b, struct ct_model_program *program);
struct ct_build_thread *ct_build_thread_of(struct ct_builder *b, struct ct_model_thread *thread);
void ct_build_thread_name(struct ct_builder *b, struct ct_model_thread *thread);
/* The lane is called estimated unless `exact`, by its first slice. */
struct ct_row_live *ct_build_cpu_row(struct ct_builder *b, unsigned host, int cpu, bool exact, const struct ct_read_program *of);
void ct_build_program_free(struct ct_model_program *program);

/* A row of the pack where [start, end) is free, for which start may move; NULL without memory. */
struct ct_row_live *ct_build_packed(struct ct_builder *b, struct ct_packed *packed, enum ct_index_lane_kind kind,
                                    struct ct_model_program *program, int64_t *start, int64_t end);

/* --- build_name.c: names of slices --- */

void ct_build_fixed_names(struct ct_builder *b);
uint32_t ct_build_name(struct ct_builder *b, struct ct_text text, unsigned event, unsigned call, unsigned class);
/* Not of an IO, POLL or FILE event, for which there is b->call_name. */
uint32_t ct_build_span_name(struct ct_builder *b, const struct ct_span *span);
uint32_t ct_build_state_name(struct ct_builder *b, const struct ct_state_span *span);
/* The number of an event that this version does not know, for names. */
unsigned ct_build_new_event(struct ct_builder *b, const struct ct_read_event_info *info);

/*
 * --- build_payload.c: writes at `to`, returns the bytes ---
 * Those of an event that this version knows are no more than CT_BUILD_SHORT without its text; any fits b->scratch.
 */
enum { CT_BUILD_SHORT = 160 };

size_t ct_build_span_payload(struct ct_builder *b, const struct ct_span *s, uint8_t *to);
/* The calls that most slices are, on a descriptor and with a result; and what they have. */
static inline bool ct_build_is_io(unsigned no)
{
    const uint64_t those = UINT64_C(1) << CT_EV_IO | UINT64_C(1) << CT_EV_IO_SLOW | UINT64_C(1) << CT_EV_POLL |
                           UINT64_C(1) << CT_EV_POLL_SLOW | UINT64_C(1) << CT_EV_FILE | UINT64_C(1) << CT_EV_FILE_SLOW;

    return no < 64 && those >> no & 1;
}

size_t ct_build_io_payload(struct ct_builder *b, const struct ct_span *s, uint8_t *to);
/* The same without a stack, as most are. */
size_t ct_build_call_payload(struct ct_builder *b, struct ct_model_program *program, const uint64_t *arg, uint8_t *to);
size_t ct_build_moment_payload(struct ct_builder *b, const struct ct_moment *moment, bool named, uint8_t *to);

/* --- build_state.c --- */

void ct_build_state(void *builder, const struct ct_state_span *span);
void ct_build_on_cpu(void *builder, const struct ct_lane_span *span);

/* Its record is to get what was summed up. */
void ct_build_changed(struct ct_builder *b, struct ct_build_thread *thread);
/* All records get it. */
void ct_build_settle_lanes(struct ct_builder *b);

/* HOT */
static inline void ct_build_seen(struct ct_builder *b, struct ct_build_thread *t, int64_t start, int64_t end)
{
    if (end > t->seen)
        t->seen = end;
    if (start < t->start)
        t->start = start;
    if (__builtin_expect(!t->changed, 0))
        ct_build_changed(b, t);
}

/* --- build_mark.c --- */

void ct_build_moment(struct ct_builder *b, const struct ct_moment *moment);
void ct_build_counter(struct ct_builder *b, const struct ct_counter *counter);

/* --- build_sum.c --- */

/* Adds the ns of a state to the bins of the overview. */
void ct_build_bins_far(struct ct_builder *b, int64_t *bins, int64_t start, int64_t end);

static inline void ct_build_bins(struct ct_builder *b, int64_t *bins, int64_t start, int64_t end)
{
    if (__builtin_expect(start >= b->bin_start && end <= b->bin_end, 1))
        bins[b->bin] += end - start;
    else
        ct_build_bins_far(b, bins, start, end);
}

/* Puts it among the longest if it is one of them. */
void ct_build_long_insert(struct ct_long_record *list, uint32_t *count, const struct ct_long_record *one);

static inline void ct_build_long(struct ct_long_record *list, uint32_t *count, const struct ct_long_record *one)
{
    if (*count < CT_OVERVIEW_MOST || one->dur > list[CT_OVERVIEW_MOST - 1].dur)
        ct_build_long_insert(list, count, one);
}

/* HOT: appends to a row that has room, keeping its order: what starts too early is cut. */
static inline void ct_build_push(struct ct_row_live *row, int64_t start, int64_t end, uint32_t name, size_t size)
{
    if (start < row->column.end)
        start = row->column.end;
    if (end < start)
        end = start;
    ct_column_push(&row->column, start, end, name, size);
}

/* The same where there may be no room, with a payload to be copied. */
static inline void ct_build_put(struct ct_builder *b, struct ct_row_live *row, int64_t start, int64_t end, uint32_t name,
                                const uint8_t *payload, size_t size)
{
    if (start < row->column.end)
        start = row->column.end;
    if (end < start)
        end = start;
    ct_column_add(&row->column, &b->heap, start, end, name, payload, size);
}
