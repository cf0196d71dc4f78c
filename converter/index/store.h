/*
 * The tables of an index as its file holds them, and the set of pointers through which questions read them: those of the
 * builder while it works, those into the file when it is done.  Not for others.
 */
#pragma once

#include "converter/index/index.h"
#include "converter/index/query.h"
#include "converter/index/strip.h"

struct ct_name_record {
    uint32_t text;                      /* of the strings */
    uint32_t lane;                      /* of the thread that runs, on a CPU's row; else CT_INDEX_NONE */
    uint16_t event;                     /* CT_EV_*, CT_EVENT_NEW + number of an event record, 0: no payload */
    uint16_t call;                      /* CT_CALL_* of I/O, poll and file events */
    uint8_t class;                      /* enum ct_index_class */
    uint8_t zero[3];
};

enum { CT_EVENT_NEW = 256 };            /* events that this version does not know are numbered from here */

struct ct_event_record {
    uint32_t name, count;
    struct { uint32_t type, name; } field[CT_EVENT_FIELDS_MAX];
};

struct ct_program_record {
    uint64_t pid, key;
    int64_t start, end;
    uint32_t name, command, threads, host;
};

struct ct_lane_record {
    uint32_t kind, program;
    uint64_t tid, serial, routine;
    uint64_t key;                       /* of a CPU, before the lane is made: that of its machine */
    uint32_t name, group, unit;
    uint32_t first_row, last_row;       /* CT_INDEX_NONE: it has none */
    uint32_t host;                      /* of a CPU */
    int64_t start, end, busy;
    int64_t ns[CT_CLASS_END];           /* of a thread's states by class */
};

struct ct_row_record {
    uint32_t lane, kind, depth, name;
    uint32_t next;                      /* row of the same lane */
    uint32_t count, levels;
    uint32_t fold_level, fold_levels;   /* the first of its levels of folds, and how many there are */
    uint64_t at[CT_TREE_LEVELS];        /* sums of the edge */
    uint32_t sums[CT_TREE_LEVELS];
    uint32_t zero[2];
};

struct ct_node_record {
    uint32_t parent, frames;            /* frames: the first of this address, of the frame records */
};

enum { CT_FRAME_INLINED = 1, CT_FRAME_LAST = 2 };

struct ct_frame_record {
    uint32_t function, file, module, line, flags;
};

struct ct_long_record {
    int64_t start, dur;
    uint32_t row, lane, name, waker;    /* waker: a lane, or CT_INDEX_NONE */
    int64_t result;                     /* of a wait: 0 or a negative errno */
};

struct ct_summary_record {
    uint8_t uuid[CT_UUID_SIZE];
    uint64_t bytes, events, lost, threads;
    int64_t span, wall;
    uint32_t cpus, damage, wait_count, pause_count;
    struct ct_long_record waits[CT_OVERVIEW_MOST], pauses[CT_OVERVIEW_MOST];
    int64_t running[CT_OVERVIEW_BINS], waiting[CT_OVERVIEW_BINS];   /* ns of threads */
    uint64_t lost_bins[CT_OVERVIEW_BINS];
};

struct ct_row_live {                    /* a row that is being built: record without levels, and its column */
    struct ct_column column;
    uint32_t id;
    int64_t start, end, busy;           /* of a CPU; its lane's record gets it when somebody looks */
    struct ct_row_record record;
};

struct ct_model;

struct ct_store {
    struct ct_base base;
    const uint32_t *offsets;            /* of the strings, one more than there are */
    const char *texts;
    const uint64_t *addresses;          /* that arguments have */
    const uint8_t *uses;                /* by string: 1 when an argument has it */
    const struct ct_name_record *names;
    const struct ct_event_record *events;
    const struct ct_program_record *programs;
    const struct ct_lane_record *lanes;
    const struct ct_row_record *rows;   /* of a file; NULL: see live */
    const struct ct_node_record *nodes; /* of a file; NULL: see model */
    const struct ct_frame_record *frames;
    const struct ct_summary_record *summary;
    const struct ct_fold_row *fold_levels;      /* of a file, as are their leaves */
    const struct ct_fold_leaf *fold_leaves;
    size_t fold_level_count, fold_leaf_count;
    size_t address_count, string_count, name_count, event_count, program_count, lane_count, row_count, node_count, frame_count;
    struct ct_row_record flow_record;   /* of a file */

    struct ct_row_live *const *live;    /* while it is being built, with the lock held: */
    const struct ct_column *flows;
    const struct ct_model *model;
    const struct ct_reader *reader;

    uint64_t revision;
    int64_t bin_ns;                     /* how long the overview's bins are */
    bool ready;
};

/* What questions see, and that it stays: each begin has an end.  0, -ENODATA: building failed, or did not begin yet. */
int ct_index_begin(struct ct_index *index, struct ct_store *ret);
void ct_index_end(struct ct_index *index, const struct ct_store *store);

struct ct_glance;

/* Between the two, not `ready`: what somebody who looks at [from, to) can see of it before it is indexed; NULL: nothing yet. */
struct ct_glance *ct_index_glance(struct ct_index *index, int64_t from, int64_t to);

/* Text number `number`; empty when there is none. */
static inline struct ct_text ct_store_text(const struct ct_store *s, uint32_t number)
{
    if (number >= s->string_count || s->offsets[number] > s->offsets[number + 1])
        return (struct ct_text){ "", 0 };
    return (struct ct_text){ s->texts + s->offsets[number], s->offsets[number + 1] - s->offsets[number] };
}

/* Name number `id`; one without meaning when there is none. */
static inline const struct ct_name_record *ct_store_name(const struct ct_store *s, uint32_t id)
{
    static const struct ct_name_record none = { .lane = CT_INDEX_NONE };

    return id < s->name_count ? &s->names[id] : &none;
}

static inline const struct ct_row_record *ct_store_row(const struct ct_store *s, uint32_t row)
{
    return row >= s->row_count ? NULL : s->rows ? &s->rows[row] : &s->live[row]->record;
}

/* How many slices the row has. */
static inline uint32_t ct_store_count(const struct ct_store *s, uint32_t row)
{
    return s->rows ? s->rows[row].count : s->live[row]->column.count;
}

/* The row, to be read; CT_INDEX_NONE stands for the arrows.  0, -ENOENT, -EBADMSG, -ENOMEM; ends with ct_strip_fini. */
int ct_store_strip(const struct ct_store *store, uint32_t row, struct ct_strip *ret);

/* The lane of the thread with this serial; CT_INDEX_NONE when there is none. */
uint32_t ct_store_thread(const struct ct_store *store, uint32_t program, uint64_t serial);
