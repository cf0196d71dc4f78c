/*
 * The index: what a viewer asks of a trace - slices by lane, time and zoom - kept in a file beside it.
 *
 * ct_index_open maps a fresh `trace.out.idx`, or starts a thread that builds one from the reader and the model; questions
 * are answered from the first moment on, by what is there.  When it is all there (CT_INDEX_READY) nothing changes any more.
 *
 * A lane is what has a title (a thread, a CPU, a counter, pauses, tasks); it has rows.  A row holds slices that lie apart,
 * in the order of their starts, or values of a counter.  Ids of lanes, rows, names and of slices in their row are dense
 * numbers from 0; as long as the index is being built new ones come, and slices near the end may still be renumbered.
 *
 * Times are ns since the trace's start.  All functions may be called by any thread, also at once, until ct_index_close.
 * Before the trace is open, and after building failed, questions get -ENODATA: ask for the progress.
 * Results that hold texts are given to the caller with a `memory` that ct_index_free takes; texts are not terminated.
 */
#pragma once

#include <stdbool.h>

#include "converter/read/reader.h"

struct ct_index;
struct ct_index_memory;

/* Colour and pattern of a slice. */
enum ct_index_class {
    CT_CLASS_UNKNOWN, CT_CLASS_RUNNING, CT_CLASS_RUNNABLE, CT_CLASS_LOCK, CT_CLASS_CONDITION, CT_CLASS_JOIN, CT_CLASS_SLEEP,
    CT_CLASS_POLL, CT_CLASS_IO, CT_CLASS_FILE, CT_CLASS_PROCESS, CT_CLASS_ALLOCATOR_PAUSE, CT_CLASS_TRACER_PAUSE,
    CT_CLASS_COLLECTOR_PAUSE, CT_CLASS_REGION, CT_CLASS_TASK, CT_CLASS_POINT, CT_CLASS_CPU_SAMPLE, CT_CLASS_ALLOC_SAMPLE,
    CT_CLASS_MARK, CT_CLASS_LOST, CT_CLASS_OTHER, CT_CLASS_MAYBE,
    CT_CLASS_END
};

/* "waiting for a lock"; NULL for numbers from CT_CLASS_END on.  Never freed. */
const char *ct_index_class_name(unsigned class);
/* One word for queries, "lock" for CT_CLASS_LOCK; NULL from CT_CLASS_END on.  Never freed. */
const char *ct_index_class_word(unsigned class);

/* --- opening --- */

struct ct_index_growth;

/*
 * The files of one trace, as paths, for the index to know them again; and how to read them, which is asked for on the
 * builder's thread, and only when there is no index that fits: one input a path.  All is borrowed until ct_index_close.
 */
struct ct_index_source {
    const char *const *paths;           /* the index stands beside the first; "-" has none */
    size_t count;
    int (*open)(void *context, struct ct_reader **ret, struct ct_error *err);   /* 0, or negative with err */
    void (*close)(void *context, struct ct_reader *reader);
    void *context;
    /*
     * One more reader of the same, while the first one is open, to be closed by ct_reader_close: what is looked at is read first.
     * Negative, or NULL instead: that cannot be had at once.
     */
    int (*again)(void *context, struct ct_reader **ret, struct ct_error *err);
    /*
     * NULL, or its reader follows files that grow: it is asked, on the same thread, whenever all that is there was taken.
     * Waits for more, a fraction of a second at most.  Such an index is always one to be forgotten.
     */
    void (*grow)(void *context, struct ct_index_growth *ret);
};

struct ct_index_growth {
    const struct ct_read_input *inputs; /* for ct_reader_extend */
    size_t count;
    const struct ct_read_names *names;  /* of functions, that were found since the last time */
    size_t name_count;
    bool last;                          /* nothing more will come */
    char said[200];                     /* with `last`: why there is no more, if that is worth to be known; else empty */
};

struct ct_index_options {
    const char *folder;                 /* where index files go; NULL: beside the trace, else the user's cache */
    bool forget;                        /* neither use nor leave a file */
};

/*
 * Opens the index of a trace; `options` may be NULL.  Returns 0 (building may have begun, and may fail later: ask for
 * the progress), or negative with `err`: a path cannot be read, no memory, no room for the index anywhere.
 */
int ct_index_open(const struct ct_index_source *source, const struct ct_index_options *options, struct ct_index **ret,
                  struct ct_error *err);

/* Stops the building; what is unfinished is thrown away.  Takes NULL. */
void ct_index_close(struct ct_index *index);

enum { CT_INDEX_LOOKED = 2 };           /* parts, at most */

struct ct_index_looked {
    int64_t from_ns, to_ns;             /* empty: none */
};

enum ct_index_state { CT_INDEX_BUILDING, CT_INDEX_READY, CT_INDEX_FAILED };

struct ct_index_progress {
    enum ct_index_state state;
    int64_t covered_ns;                 /* what lies before is in the index, but for slices that have not ended */
    struct ct_index_looked looked[CT_INDEX_LOOKED];     /* parts behind that can be seen already, since somebody looked there */
    double part;                        /* 0 to 1 */
    double seconds_left;                /* negative: not known */
    uint64_t revision;                  /* another number: lanes, rows or names were added or renamed */
    uint64_t events;                    /* so far */
    uint64_t bytes;                     /* of the index so far, with its columns */
    bool from_file;                     /* it was there already */
    bool growing;                       /* BUILDING, and the trace is still being written */
    int64_t age_ns;                     /* of the newest that is known, when it grows */
    char file[4096];                    /* where it stands; empty: nowhere */
    char error[200];                    /* FAILED: a sentence; also READY, when the trace is damaged or cut: which */
};

void ct_index_progress(struct ct_index *index, struct ct_index_progress *ret);

/* Waits until nothing is being built. */
void ct_index_wait(struct ct_index *index);

/* Frees what a result holds; takes NULL. */
void ct_index_free(struct ct_index_memory *memory);

/* --- what is in it --- */

/*
 * Ids of rows, lanes and programs are dense and given as they turn up.  Keys are for links: the same thing of the same trace has
 * the same one in whatever order, and with whatever else, its files are opened.
 */
struct ct_index_program {
    uint64_t pid, key;
    struct ct_text name, command;       /* that it was started by; the command line, arguments with spaces between */
    struct ct_text host;                /* "web2 (clock +-3.5 us)" when the trace is of several machines, else empty */
    int64_t start_ns, end_ns;
    uint32_t threads;
};

struct ct_index_meta {
    struct ct_index_memory *memory;
    uint8_t uuid[CT_UUID_SIZE];         /* of the run */
    uint64_t bytes, events, lost;       /* bytes: of the trace's files */
    int64_t span_ns;                    /* known from the first moment on; it grows with the trace */
    int64_t start_wall_ns;              /* CLOCK_REALTIME of time 0 */
    unsigned cpus;
    struct ct_text damage;              /* a sentence, empty when there is none */
    const struct ct_index_program *programs;    /* their number is their id */
    size_t program_count;
};

/* 0 or -ENOMEM. */
int ct_index_meta(struct ct_index *index, struct ct_index_meta *ret);

enum ct_index_lane_kind { CT_LANE_THREAD, CT_LANE_CPU, CT_LANE_COUNTER, CT_LANE_PAUSE, CT_LANE_TASK };
enum ct_index_row_kind { CT_ROW_STATE, CT_ROW_SLICES, CT_ROW_MARKS, CT_ROW_VALUE };

struct ct_index_row {
    uint32_t id, lane;
    uint64_t key;
    enum ct_index_row_kind kind;
    unsigned depth;                     /* of slices: 0 is the outermost */
    uint64_t count;                     /* of slices or values, so far */
    struct ct_text name;                /* of values and marks: "running", "samples"; else empty */
};

struct ct_index_lane {
    uint32_t id, program;               /* program: UINT32_MAX for what belongs to none (CPUs) */
    enum ct_index_lane_kind kind;
    uint64_t key;
    uint64_t tid;                       /* of threads */
    struct ct_text name;
    struct ct_text group;               /* name of a thread's start routine ("main" for the first one), or empty */
    struct ct_text unit;                /* of counters: "bytes", "bytes/s", "threads" or empty */
    struct ct_text host;                /* of CPUs: as that of programs */
    int64_t start_ns, end_ns, busy_ns;  /* busy: running, or on the CPU */
    const struct ct_index_row *rows;
    size_t row_count;
};

struct ct_index_lanes {
    struct ct_index_memory *memory;
    uint64_t revision;
    const struct ct_index_lane *lanes;  /* lanes[id] */
    size_t count;
};

/* Every lane with its rows.  0 or -ENOMEM. */
int ct_index_lanes(struct ct_index *index, struct ct_index_lanes *ret);

struct ct_index_names {
    struct ct_index_memory *memory;
    uint64_t revision;
    const struct ct_text *names;        /* those from `from` on */
    const uint8_t *classes;
    size_t count;
};

/* Names of slices, from id `from` on.  0 or -ENOMEM. */
int ct_index_names(struct ct_index *index, uint32_t from, struct ct_index_names *ret);

/* --- tiles --- */

enum { CT_TILE_STEPS = 1024, CT_TILE_ENTRIES = 2 * CT_TILE_STEPS, CT_TILE_LEVEL_MAX = 52 };

/*
 * One row of a tile.  A slice takes the steps [start / 2^level, end / 2^level), rounded down; one that is at least a step
 * long is an entry of its own, clipped to the tile, with busy 255.  Shorter ones fold into one entry for each step that
 * they start in: name, class and slice of the longest (the first of them), how many they are, their time in 255ths
 * of the step.  Entries are sorted by start; at the same start the fold comes first.
 *
 * Values: one entry a step with changes, the least, greatest and last value among them; the first entry has start 0 and
 * holds as well the value that held when the tile begins, if there was one.
 */
struct ct_index_tile {
    bool partial;                       /* the index does not cover it yet: it may be another one later */
    enum ct_index_row_kind kind;        /* CT_ROW_VALUE: the second set of columns, else the first */
    unsigned count;
    uint32_t name[CT_TILE_ENTRIES], slice[CT_TILE_ENTRIES], entries[CT_TILE_ENTRIES];
    double min[CT_TILE_STEPS], max[CT_TILE_STEPS], last[CT_TILE_STEPS];
    uint16_t start[CT_TILE_ENTRIES], len[CT_TILE_ENTRIES];
    uint8_t class[CT_TILE_ENTRIES], busy[CT_TILE_ENTRIES];
};

/* In numbers of slices of a partial tile: they are of a part that was looked at first, and nothing but tiles knows them. */
#define CT_INDEX_EARLY (UINT32_C(1) << 31)

/*
 * Steps of 2^level ns; the tile covers [number * 1024 * 2^level, (number + 1) * 1024 * 2^level).  `ret` (60 KB) is the
 * caller's and may be used again.  Returns 0; -ENOENT no such row (yet); -EINVAL no such level, or beyond 2^62 ns;
 * -EBADMSG the index is damaged (the progress then says so).
 */
int ct_index_tile(struct ct_index *index, uint32_t row, unsigned level, uint64_t number, struct ct_index_tile *ret);
