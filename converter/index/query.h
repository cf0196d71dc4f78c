/*
 * Questions about slices, ranges and stacks of an index.  Every function returns 0 or a negative errno - -ENOENT: no such
 * row, lane or slice; -EINVAL with `err` for a query that is none; -EBADMSG: the index is damaged; -ECANCELED; -ENOMEM -
 * and on success fills `ret`, whose `memory` the caller frees with ct_index_free.
 */
#pragma once

#include "converter/index/index.h"

#define CT_INDEX_NONE UINT32_MAX        /* no lane, no row, no slice */

/* Asked now and then in what takes long: true ends it with -ECANCELED.  NULL: never. */
typedef bool ct_index_stop(void *context);

/* A set of lanes; count 0: all of them. */
struct ct_index_set {
    const uint32_t *lanes;
    size_t count;
};

struct ct_index_frame {
    struct ct_text function, file, module;      /* empty: unknown; function may be a number like 0x401200 then */
    uint64_t line;
    bool inlined;                       /* into the one that follows */
};

struct ct_index_stack {
    const struct ct_index_frame *frames;        /* innermost first */
    size_t count;
};

/* --- one slice --- */

struct ct_index_argument {
    struct ct_text name, value;
    struct ct_text text;                /* what it means, or empty: "socket 10.0.0.1:80", "EAGAIN", "16 KiB" */
};

/* A place on a thread's slices: the innermost slice around `ns`; row and slice CT_INDEX_NONE when there is none. */
struct ct_index_place {
    uint32_t lane, row, slice;
    struct ct_text name;                /* of the slice, else empty */
    int64_t ns;
    struct ct_index_stack stack;
};

struct ct_index_neighbour {
    uint32_t row, slice;                /* CT_INDEX_NONE: there is none */
    int64_t start_ns;
};

enum { CT_INDEX_WOKEN = 32 };

struct ct_index_slice {
    struct ct_index_memory *memory;
    uint32_t row, slice, lane, name_id;
    struct ct_text name;
    unsigned class;
    int64_t start_ns, dur_ns;
    int64_t self_ns;                    /* without the slices in it */
    int64_t cpu_ns;                     /* running, by the thread's states; -1: not known */
    struct ct_text state;               /* of the thread in most of it, or empty */
    bool cut_start, cut_end, end_lost;  /* began before, ended after what the trace tells; its end was dropped */
    const struct ct_index_argument *args;
    size_t arg_count;
    struct ct_index_stack stack, end_stack;
    bool has_waker;
    struct ct_index_place waker;        /* who ended a wait */
    const struct ct_index_place *woken; /* whose waits ended by what happened in this slice */
    size_t woken_count;
    struct ct_index_neighbour parent, previous, next;   /* previous, next: of the same name in the same row */
};

int ct_index_slice(struct ct_index *index, uint32_t row, uint32_t slice, struct ct_index_slice *ret);

/* --- flows --- */

enum ct_index_flow_kind { CT_FLOW_WAKE, CT_FLOW_CREATE, CT_FLOW_JOIN };

struct ct_index_flow {
    enum ct_index_flow_kind kind;
    struct { uint32_t lane, row; int64_t ns; } from, to;
};

struct ct_index_flows {
    struct ct_index_memory *memory;
    const struct ct_index_flow *flows;
    size_t count;
    bool more;                          /* than `limit` */
};

/* Arrows that touch [from_ns, to_ns) and one of the lanes. */
int ct_index_flows(struct ct_index *index, int64_t from_ns, int64_t to_ns, const struct ct_index_set *lanes, size_t limit,
                   struct ct_index_flows *ret);

/* --- search --- */

enum { CT_SEARCH_BINS = 512 };

struct ct_index_hit {
    uint32_t row, slice, lane, name_id;
    struct ct_text name;
    int64_t start_ns, dur_ns;
};

struct ct_index_search {
    const char *text;                   /* words, all of which must hold: text or /regex/ (names, arguments, stacks, logs), */
                                        /* dur>10ms, dur<1us, state:lock, thread:io-*, fd:7, errno:EAGAIN, name:read */
    int64_t from_ns, to_ns;
    size_t limit;                       /* hits to return */
    bool longest;                       /* the longest of them first; `after_ns` and what follows it are not looked at */
    int64_t after_ns;                   /* only hits behind this one: its start, row and slice; INT64_MIN: from the first */
    uint32_t after_row, after_slice;
    ct_index_stop *stop;
    void *context;
};

struct ct_index_hits {
    struct ct_index_memory *memory;
    const struct ct_index_hit *hits;    /* by start, row and slice; or the longest first */
    size_t count;
    uint64_t total;                     /* in [from, to), whatever `after` and `limit` */
    bool more;                          /* behind the last one returned */
    uint32_t bins[CT_SEARCH_BINS];      /* hits by their start, over the whole trace */
};

int ct_index_search(struct ct_index *index, const struct ct_index_search *search, struct ct_index_hits *ret,
                    struct ct_error *err);

/* --- sums --- */

struct ct_index_sum {
    uint32_t name_id;
    struct ct_text name;
    unsigned class;
    uint64_t count;
    int64_t total_ns, max_ns, min_ns;   /* total: of what lies in the range; the others of whole slices */
};

struct ct_index_lane_states {
    uint32_t lane;
    int64_t ns[CT_CLASS_END];
};

struct ct_index_range {
    struct ct_index_memory *memory;
    const struct ct_index_sum *names;   /* slices and marks, by total, the largest first */
    size_t name_count;
    const struct ct_index_lane_states *states;  /* threads with any state in the range */
    size_t state_count;
};

int ct_index_range(struct ct_index *index, int64_t from_ns, int64_t to_ns, const struct ct_index_set *lanes,
                   ct_index_stop *stop, void *context, struct ct_index_range *ret);

enum ct_index_flame_kind { CT_FLAME_CPU, CT_FLAME_ALLOC, CT_FLAME_WAIT };

struct ct_index_flame_node {
    uint32_t parent, frame;             /* node 0 is the root (parent CT_INDEX_NONE, frame CT_INDEX_NONE) */
    int64_t self, total;
};

struct ct_index_flame {
    struct ct_index_memory *memory;
    const char *unit;                   /* "ns" or "bytes" */
    int64_t total;
    const struct ct_index_frame *frames;
    size_t frame_count;
    const struct ct_index_flame_node *nodes;    /* parents before children */
    size_t node_count;
};

int ct_index_flame(struct ct_index *index, enum ct_index_flame_kind kind, int64_t from_ns, int64_t to_ns,
                   const struct ct_index_set *lanes, ct_index_stop *stop, void *context, struct ct_index_flame *ret);

/* --- the whole --- */

enum { CT_OVERVIEW_BINS = 512, CT_OVERVIEW_MOST = 20 };

struct ct_index_busy {
    uint32_t lane;
    struct ct_text name;
    int64_t busy_ns;
};

struct ct_index_long {
    uint32_t row, slice, lane;
    struct ct_text name, lane_name;
    struct ct_text function;            /* that waited; empty unknown */
    unsigned class;
    int64_t start_ns, dur_ns;
    bool has_waker;
    uint32_t waker_lane;
    struct ct_text waker_name;          /* of the lane */
    int64_t result;                     /* of a wait: 0, or the negative errno it ended with, as after its time was up */
};

struct ct_index_overview {
    struct ct_index_memory *memory;
    int64_t span_ns;
    unsigned cpus;
    uint64_t events, lost, threads;
    const struct ct_index_busy *busiest;
    const struct ct_index_long *waits, *pauses;     /* the longest first */
    size_t busiest_count, wait_count, pause_count;
    float running[CT_OVERVIEW_BINS], waiting[CT_OVERVIEW_BINS]; /* threads, on average in each of the bins of the trace */
    uint32_t lost_bins[CT_OVERVIEW_BINS];           /* events */
};

int ct_index_overview(struct ct_index *index, struct ct_index_overview *ret);

struct ct_index_group {
    struct ct_text name;                /* start routine */
    uint32_t program;
    uint64_t count;                     /* threads */
    int64_t total_ns;                   /* of their lives */
    int64_t ns[CT_CLASS_END];           /* by class of state */
};

struct ct_index_groups {
    struct ct_index_memory *memory;
    const struct ct_index_group *groups;    /* by total */
    size_t count;
};

int ct_index_threads(struct ct_index *index, struct ct_index_groups *ret);
