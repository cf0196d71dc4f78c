/* The inside of the Chrome sink: what its files share.  Not for others. */
#pragma once

#include "converter/json.h"
#include "converter/model/label_sets.h"
#include "converter/chrome/sink.h"

enum {
    CHROME_LABEL_MAX = 192,             /* bytes of an escaped label */
    CHROME_TEXT_MAX = 1024,             /* bytes of a text shown; longer ones are cut */
    CHROME_RECORD_MAX = 30 << 10,       /* bytes of the longest record */
    CHROME_EVENT_NAME_MAX = 128,        /* bytes of the name of an event that only the file knows */
    CHROME_CALLS = 192, CHROME_EVENTS = 64,  /* that have pieces; others are written the slow way */
    CHROME_PIECE_MAX = 96,              /* bytes of a piece */
    CHROME_DESCRIPTORS = 512,           /* that have pieces at a time */
    CHROME_TAILS = 256,
    CHROME_LANES = 4096,                /* of a host; CPUs beyond have no row of their own */
    CHROME_TIMES_MAX = 64,              /* bytes of a start and a duration */
    CHROME_ID_FIRST = 1 << 22,          /* ids of our own begin where the kernel's end */
};

/* Text that goes into records as it is; `last` is where it was written last, for compression (output.h). */
struct chrome_piece {
    uint64_t last;
    uint16_t size, sure;                /* sure: bytes that always stay as they were written */
    char direction;                     /* of a call: 'R', 'W', 'N'; 0: no such call */
    char text[CHROME_PIECE_MAX + 19];   /* 128 bytes in all: where one stands in a table is found by a shift */
};

_Static_assert(sizeof(struct chrome_piece) == 128, "a power of two");

/* ,\n{"ph":"X","pid":1,"tid":2,"ts": of a row. */
struct chrome_row {
    uint64_t last, size;
    char text[56];
};

/* A thread has two rows: its slices, and its states. */
struct chrome_thread {
    uint32_t pid, tid, state_tid;
    struct chrome_row slice, state;
    bool told_slice, told_state;        /* the row was named */
    uint32_t labels;                    /* set of labels that it has now */
    uint32_t label_size;
    char label[CHROME_LABEL_MAX];       /* escaped: name (tid) */
    uint64_t on_cpu_last;
    uint32_t on_cpu_size;
    char on_cpu[CHROME_LABEL_MAX + 64]; /* ,"cat":"cpu","name":"name (tid)"} */
};

struct chrome_program {
    uint32_t pid, pause_tid;            /* pause_tid 0: it has no such row yet */
};

struct ct_chrome {
    struct ct_output *out;
    struct ct_reader *reader;
    struct ct_model *model;
    struct ct_chrome_options options;
    uint32_t next_id;                   /* of rows that have none of the kernel's */
    uint32_t next_sort;
    uint64_t next_arrow, next_task;
    uint32_t *used_ids;                 /* hash set: kernel's ids that stand in the file already */
    uint32_t used_count, used_mask;
    uint32_t lane_pid[256];             /* process of CPU lanes by host; 0: none yet */
    struct chrome_row *lane[256];       /* by host and CPU; empty: it has no name yet */
    struct chrome_row lane_spare;       /* without memory for them */
    struct ct_json_near near;
    int64_t times_start, times_end;     /* of the record before: what it is about is often told on two or three rows */
    uint64_t times_size;
    uint64_t times_last;                /* 1.000,"dur":2.000 stands there in the output */
    uint64_t dur_last, bytes_last, object_last, counter_last, stack_last;   /* as `last` above */
    uint64_t tail_last[CHROME_TAILS];   /* of names and texts, by a hash of what they are */
    struct chrome_piece call[CHROME_CALLS];     /* ,"name":"read","cat":"io","args":{"fd": */
    struct chrome_piece event[CHROME_EVENTS];   /* ,"name":"wake","cat":"wait","args":{ */
    struct chrome_piece states[CT_STATE_END][CHROME_EVENTS];    /* by state and reason: ,"name":"Waiting: mutex" ... } */
    struct chrome_piece descriptor[CHROME_DESCRIPTORS];         /* 7,"tcp":"1.2.3.4:80" */
    uint32_t described[CHROME_DESCRIPTORS], last_described;     /* what `user` of the descriptor is that has the piece */
    struct ct_label_sets label_sets;
    struct chrome_stacks *stacks;
    int64_t now;                        /* of the last item */
    bool damaged, no_memory;
};

/*
 * Starts a record: room for CHROME_RECORD_MAX bytes.  Until chrome_end nothing else may begin one: whatever may still
 * write names (chrome_*_of, chrome_pause_tid, chrome_lane_row) comes before.
 */
static inline char *chrome_begin(struct ct_chrome *c)
{
    return ct_output_room(c->out, CHROME_RECORD_MAX);
}

static inline void chrome_end(struct ct_chrome *c, char *p)
{
    ct_output_advance(c->out, p);
}

/* HOT: copies a piece, always as many bytes, for speed. */
static inline char *chrome_put(struct ct_chrome *c, char *p, struct chrome_piece *piece)
{
    memcpy(p, piece->text, CHROME_PIECE_MAX);
    ct_output_repeat(c->out, p, piece->sure, &piece->last);
    return p + piece->size;
}

static inline char *chrome_put_row(struct ct_chrome *c, char *p, struct chrome_row *row)
{
    memcpy(p, row->text, sizeof row->text);
    ct_output_repeat(c->out, p, row->size, &row->last);
    return p + row->size;
}

/* A literal that stands in very many records. */
#define CHROME_PUT(c, p, literal, last) \
    (ct_output_repeat((c)->out, (p), sizeof(literal) - 1, (last)), CT_JSON_PUT((p), literal))

/* The same for what is longer, as a rule not by much; reads and writes up to 31 bytes more. */
static inline char *chrome_copy(char *p, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i += 32)
        memcpy(p + i, text + i, 32);
    return p + size;
}

/* HOT: the end of a record from `from` on, or a part of it, which may be the same as last time for the same `what`. */
static inline void chrome_tail(struct ct_chrome *c, const char *from, const char *to, uint64_t what)
{
    ct_output_again(c->out, from, to, &c->tail_last[what % CHROME_TAILS]);
}

/* Escaped text, cut at CHROME_TEXT_MAX. */
static inline char *chrome_text(char *p, struct ct_text text)
{
    return ct_json_text(p, text.at, text.size < CHROME_TEXT_MAX ? text.size : CHROME_TEXT_MAX);
}

/* --- labels.c --- */

/* The thread has a new label, or one less. */
void chrome_labels_take(struct ct_chrome *c, struct chrome_thread *own, const struct ct_read_event *e);
/* ,"labels":{"key":"value"}, or nothing when the thread has none.  Its row was begun before. */
char *chrome_labels_args(struct ct_chrome *c, char *p, const struct ct_model_thread *t);

/* --- names.c: who is who --- */

struct chrome_program *chrome_program_of(struct ct_chrome *c, struct ct_model_program *p);
struct chrome_thread *chrome_thread_of(struct ct_chrome *c, struct ct_model_thread *t);
/* A thread has a new name; name_* write it for each of its rows. */
void chrome_label_thread(struct ct_chrome *c, struct ct_model_thread *t);
void chrome_name_thread(struct ct_chrome *c, struct ct_model_thread *t);
void chrome_name_states(struct ct_chrome *c, struct ct_model_thread *t);
/* The row of a CPU, named when it is new. */
struct chrome_row *chrome_make_lane_row(struct ct_chrome *c, const struct ct_lane_span *span);
/* The row of the tracer's own pauses. */
uint32_t chrome_pause_tid(struct ct_chrome *c, struct ct_model_program *p);
void chrome_free_program(struct ct_model_program *p);

/* HOT: the same without a call for those who have one. */
static inline struct chrome_thread *chrome_known_thread(struct ct_chrome *c, struct ct_model_thread *t)
{
    return __builtin_expect(t->user != NULL, 1) ? t->user : chrome_thread_of(c, t);
}

/* HOT: the row of a CPU. */
static inline struct chrome_row *chrome_lane_row(struct ct_chrome *c, const struct ct_lane_span *span)
{
    struct chrome_row *rows = c->lane[span->host];

    return __builtin_expect(rows && span->cpu < CHROME_LANES && rows[span->cpu].size, 1) ? &rows[span->cpu]
        : chrome_make_lane_row(c, span);
}

/* --- sink.c --- */

/* 1.000,"dur":2.000 for an output that wants to know what is repeated. */
char *chrome_times_told(struct ct_chrome *c, char *p, int64_t start, int64_t end);

/* HOT: the same for any output. */
static inline char *chrome_times(struct ct_chrome *c, char *p, int64_t start, int64_t end)
{
    if (c->out->repeat)
        return chrome_times_told(c, p, start, end);
    p = ct_json_us_near(p, start, &c->near);
    p = CT_JSON_PUT(p, ",\"dur\":");
    return ct_json_us(p, end - start);
}

/* --- args.c: what a slice is called and what is said of it --- */

/* The record of a slice. */
void chrome_span(void *chrome, const struct ct_span *span);
/* Fills `call` and `event`. */
void chrome_make_pieces(struct ct_chrome *c);
char *chrome_thread_ref(struct ct_chrome *c, char *p, const struct ct_model_program *program, uint64_t serial);

/* --- descriptor.c --- */

/* A descriptor that has no piece. */
char *chrome_describe(struct ct_chrome *c, char *p, struct ct_fd *known, int32_t fd);

/* HOT: 7,"tcp":"1.2.3.4:80", or the number alone where no more was told of it. */
static inline char *chrome_descriptor(struct ct_chrome *c, char *p, const struct ct_fds *fds, int32_t fd)
{
    struct ct_fd *known = ct_fds_get(fds, fd);

    if (!known)
        return ct_json_i64(p, fd);
    if (__builtin_expect(known->user != 0 && c->described[known->user % CHROME_DESCRIPTORS] == known->user, 1))
        return chrome_put(c, p, &c->descriptor[known->user % CHROME_DESCRIPTORS]);
    return chrome_describe(c, p, known, fd);
}

/* --- moment.c: the same for moments and states --- */

char *chrome_moment_text(struct ct_chrome *c, char *p, const struct ct_moment *moment);
const char *chrome_state_name(const struct ct_state_span *span);
/* Something of a newer version: its fields as numbers and texts, a comma before each. */
char *chrome_fields(char *p, const struct ct_read_event_info *info, const struct ct_read_generation *g, const uint64_t *arg);
/* ,"id":7 for each of what is told of a range. */
char *chrome_told(char *p, struct ct_text told);

/* chrome_kernel.c: what a slice of SCHED_OUT ... SYSCALL is called, and its members, each after a comma. */
const char *chrome_kernel_name(const struct ct_span *span, char room[64]);
char *chrome_kernel_args(struct ct_chrome *c, char *p, const struct ct_span *span);

/* --- stack.c --- */

struct chrome_stacks *chrome_stacks_new(void);
void chrome_stacks_free(struct chrome_stacks *stacks);
/* HOT: the line of a stack is wanted soon, and stands where nobody has looked for a while. */
void chrome_stack_ahead(const struct ct_chrome *c, uint32_t node);
/* ,"stack":"..." for args; nothing when the node is none. */
char *chrome_stack_args(struct ct_chrome *c, char *p, uint32_t node);
/* "stackFrames":{...} for the end of the file. */
void chrome_stack_frames(struct ct_chrome *c);
/* The best name of a code address: a function, else module and offset, else the address.  At most CHROME_LABEL_MAX. */
char *chrome_code(char *p, const struct ct_read_program *program, uint64_t pc);
