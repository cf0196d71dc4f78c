/*
 * The reader: the only way into a trace.  Trusts no byte, and hands out events of all threads in the order of time.
 *
 *   struct ct_reader *reader;
 *   struct ct_read_input input = { .path = "trace.out", .fd = -1 };
 *   const struct ct_read_item *item;
 *
 *   r = ct_reader_open(&input, 1, NULL, &reader, &err);            (r < 0: not a trace; err says why, and at which byte)
 *   while ((r = ct_reader_next(reader, &item, &err)) > 0)
 *       if (item->kind == CT_READ_EVENT) ... item->event ...
 *   (r < 0: there is damage; all that stands before it was delivered)
 *   ct_reader_close(reader);
 *
 * Several inputs become one timeline: their clocks are brought together by CLOCK_MONOTONIC when they come from the same
 * boot, by the wall clock otherwise, or when some came out of CTF.  One file can hold several programs (exec); every program has threads of its own.
 * Memory does not depend on the size of the trace, only on what one second of it refers to.
 *
 * Times are ns since the trace's start (that of the earliest input) and may be negative for what began before it.
 * All pointers handed out are borrowed until ct_reader_close unless said otherwise.  One thread at a time per reader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "format/error.h"
#include "format/limits.h"
#include "format/schema.h"
#include "format/tables.h"

struct ct_reader;
struct ct_second;

enum { CT_READ_ROLLS_MAX = 16 };        /* files of a ring that are followed, and then held */

#define CT_READ_NEVER INT64_MIN         /* a time that is not known, or has not come */

/* One trace: a file, and what recovery found of its end, if anything. */
struct ct_read_input {
    const char *path;           /* opened when fd is -1; else only for messages.  NULL: "-" */
    int fd;                     /* borrowed until ct_reader_open returns; a pipe is read to its end */
    uint64_t size;              /* not 0: no more than so many bytes of the plain file behind `fd` */
    const void *memory;         /* instead of both: the bytes themselves, borrowed until ct_reader_close */
    size_t memory_size;
    unsigned rolled;            /* with `follow`: so many files took the place of the first, each after the other; `fd` is the newest */
    const void *tail;           /* NULL, or more blocks of the same trace, borrowed until ct_reader_close; with or */
    size_t tail_size;           /* without a file head; pieces that the file already has are dropped */
};

/* What to add to the times of a machine, whose name is that in `run.host`, to bring its clock together with the others'. */
struct ct_read_shift {
    struct ct_text host;
    int64_t ns;
    int64_t uncertain_ns;       /* of COMPARED: so much more or less */
    uint64_t messages;          /* of COMPARED: that were looked at */
    enum ct_read_shift_how {
        CT_READ_SHIFT_NONE,     /* nothing is known: the machines' own clocks are believed */
        CT_READ_SHIFT_FIRST,    /* the others are compared with it */
        CT_READ_SHIFT_SAID,     /* by the user */
        CT_READ_SHIFT_COMPARED, /* by messages both ways */
    } how;
};

struct ct_reader_options {
    const struct ct_read_shift *shifts;     /* borrowed until ct_reader_close */
    size_t shift_count;
    bool tables_only;           /* deliver generations, no events: for those who look for addresses or threads */
    bool follow;                /* files may still grow: what is whole is handed out, see ct_reader_extend */
    bool ahead;                 /* decode in a second thread, a bounded number of events ahead */
    uint64_t inflate_max;       /* bytes that a .gz may unpack to; 0: a hundred times its size */
};

/* A source-level frame of a code address, from the SYMBOLS blocks.  Texts are not terminated; empty is unknown. */
struct ct_read_frame {
    struct ct_text function, file, module;
    uint64_t line;
    bool inlined;               /* into the frame that follows */
    uint64_t pc;                /* the code address it is a frame of */
};

struct ct_read_module {
    struct ct_module_row row;
};

/* One traced program, from exec to exec or exit. */
struct ct_read_program {
    unsigned index;             /* dense over the reader, in order of their start */
    unsigned input;             /* number of the input that holds it */
    struct ct_run run;          /* texts borrowed; all zero when the RUN block is missing */
    int64_t start_ns, end_ns;   /* of what was recorded */
    bool has_end;               /* the END block was found: the trace of this program is complete */
    struct ct_end end;          /* valid with has_end */
    int64_t realtime_offset_ns; /* add to a time to get CLOCK_REALTIME */
    const struct ct_read_module *modules;   /* those of the generations so far; valid until the next item */
    size_t module_count;
    const struct ct_read_frame *frames;     /* all names so far, for ct_read_frames; valid until the next item */
    size_t frame_count;
    const struct ct_read_shift *shift;      /* of its machine; NULL: there is one machine only, or nobody looked */
    void *user;                 /* the consumer's; NULL at first */
};

/* " on web2 (clock +-23 us)" when the trace is of several machines, else nothing; `size` bytes are enough. */
enum { CT_READ_PLACE = 128 };
struct ct_text ct_read_place(const struct ct_read_program *program, char room[CT_READ_PLACE]);

/* A thread; stays when its generation goes. */
struct ct_read_thread {
    struct ct_read_program *program;
    unsigned index;             /* dense over the reader, in order of appearance */
    uint64_t serial;
    uint64_t tid;               /* 0: never told (its row is missing) */
    uint64_t parent;            /* serial, 0 unknown */
    uint64_t routine;           /* address of the start routine, 0 unknown */
    int64_t start_ns, exit_ns;  /* CT_READ_NEVER: unknown, not yet */
    uint64_t lost;              /* events dropped since it began, as of its last row */
    char name[CT_NAME_MAX];     /* as of its last row; THREAD_NAME events are the consumer's to follow */
    void *user;                 /* the consumer's; NULL at first */
};

/* What a thread was doing when a generation began: the only word of those that emit nothing in it. */
struct ct_read_thread_row {
    struct ct_read_thread *thread;
    enum ct_thread_state state;
    uint64_t reason, object;    /* see enum ct_thread_state */
    int64_t since_ns;           /* CT_READ_NEVER: unknown */
    int cpu;                    /* -1 unknown */
    bool ended;                 /* CT_THREAD_EXITED, or the row of a thread that ended in this generation */
};

struct ct_read_stack {
    uint64_t id;
    uint32_t depth;
    bool truncated;             /* the root side is missing */
    const uint64_t *pcs;        /* return addresses, innermost first */
};

/* At most a second of one program.  Valid until the item after the last event of it; look-ups with ids go through it. */
struct ct_read_generation {
    struct ct_read_program *program;
    uint64_t number;
    int64_t start_ns, end_ns;
    int64_t pause_ns;           /* the tracer's own pause; ended at start_ns */
    uint64_t pause_kind;        /* 0 turn, 1 start of tracing */
    int64_t stop_ns;            /* the same at the end of tracing, ended at end_ns; -1: tracing did not end here */
    uint64_t events_lost;       /* dropped in it, all threads; 0 when its end is missing */
    const struct ct_generation *start;      /* its first row as it stands in the file, NULL when missing */
    const struct ct_generation_end *end;    /* and its last */
    uint64_t first_ticks;       /* base of its first batch; UINT64_MAX: it has none */
    bool recovered;             /* parts of it came from an arena that nobody drained */
    const struct ct_read_thread_row *rows;
    size_t row_count;
    const struct ct_read_stack *stacks;     /* all that are defined in it */
    size_t stack_count;
};

/* The schema entry of the file's event: right also for events that this version does not know. */
struct ct_read_event_info {
    unsigned no;                /* of the file */
    bool known;                 /* this version has the same event with the same fields */
    const char *name;           /* terminated; never NULL */
    uint8_t shape, category, field_count;
    struct ct_field_info fields[CT_EVENT_FIELDS_MAX];
};

struct ct_read_event {
    int64_t ns;                 /* when it was emitted; never less than that of the item before */
    uint32_t size;              /* bytes that the event takes in the file */
    uint8_t no;                 /* CT_EV_*; 0: not known to this version, look at `info` */
    bool nested;                /* emitted by a signal handler that interrupted an emit */
    uint8_t unresolved;         /* bit i: arg[i] is the id of an address whose definition is missing */
    uint8_t kind;               /* that of its item */
    struct ct_read_thread *thread;
    const struct ct_read_generation *generation;
    const struct ct_read_event_info *info;
    uint64_t ticks;             /* the same moment as the recorder's clock said it */
    struct ct_text text;        /* the TEXT field; borrowed as long as the generation */
    /*
     * Ready for use, in the order of `info->fields`: INT and RESULT are signed (cast to int64_t), FD too (cast to
     * int32_t), TICKS are ns, ADDR is the address.  STRING and STACK are ids for ct_read_string and ct_read_stack.
     */
    uint64_t arg[CT_EVENT_FIELDS_MAX];
};

enum ct_read_kind {
    CT_READ_GENERATION,         /* a generation begins: item->generation, with what every thread was doing */
    CT_READ_EVENT,              /* item->event */
    CT_READ_PROGRAM_END,        /* nothing more of item->program comes */
};

/* Two lines of memory, for they go from one processor to another: one says which event it is, the other has its fields. */
struct ct_read_item {
    union {
        struct {
            int64_t ns;                     /* never less than that of the item before */
            uint8_t of_event[7];
            uint8_t kind;                   /* enum ct_read_kind */
            struct ct_read_program *program;                /* but of EVENT: see ct_read_program_of */
            const struct ct_read_generation *generation;    /* GENERATION */
        };
        struct ct_read_event event;                         /* EVENT */
    };
};

_Static_assert(sizeof(struct ct_read_item) == 128, "two lines");
_Static_assert(offsetof(struct ct_read_item, kind) == offsetof(struct ct_read_event, kind), "it is the same byte");

static inline struct ct_read_program *ct_read_program_of(const struct ct_read_item *item)
{
    return item->kind == CT_READ_EVENT ? item->event.thread->program : item->program;
}

/*
 * Opens `count` inputs as one timeline; `options` may be NULL.  Plain files, .gz (unpacked into an unlinked temporary
 * file) and pipes.  Walks over the heads of all blocks, so a cut or broken end is known afterwards.
 * Returns 0, or negative with `err` (err->text names the input): -EINVAL not a trace, -ENODATA too short to be one,
 * -ENOTSUP a newer major version, or what open() and read() said.
 */
int ct_reader_open(const struct ct_read_input *inputs, size_t count, const struct ct_reader_options *options,
                   struct ct_reader **ret, struct ct_error *err);

/* Takes NULL. */
void ct_reader_close(struct ct_reader *reader);

/*
 * Call before the first ct_reader_next: only what lies in [from_ns, to_ns).  Generations outside are not decoded.
 * With `warm` the events from the start of the generation that holds `from_ns` are delivered too (their ns are less
 * than from_ns), so that a consumer knows the state at `from_ns`.
 */
void ct_reader_set_range(struct ct_reader *reader, int64_t from_ns, int64_t to_ns, bool warm);

/*
 * The next item of the timeline, borrowed until the next call.
 * Returns 1, or 0 after the last; negative with `err` when all that stands before damage has been delivered.
 */
int ct_reader_next(struct ct_reader *reader, const struct ct_read_item **ret, struct ct_error *err);

/*
 * The same for those who read all of it: as many next items as are there at once, `*ret_count` of them in a row, borrowed
 * until the next call.  Not to be mixed with ct_reader_next.
 */
int ct_reader_next_run(struct ct_reader *reader, const struct ct_read_item **ret, size_t *ret_count, struct ct_error *err);

/*
 * The thread that decodes with `ahead`, which has time for other work as well (second.h); NULL: there is none.  Borrowed until
 * ct_reader_close.
 */
struct ct_second *ct_reader_second(struct ct_reader *reader);

/*
 * With `follow` 0 of the two above says that there is no more yet.  This takes in what the files got since then, and those
 * that `inputs` has behind the ones it had (borrowed until the return, tails until ct_reader_close).  A second of a program
 * is handed out when it is over and was so at the look before; of several programs what all have reached, or three seconds
 * less than the first of them.  With `last` everything is taken as it is, with tails, and the next 0 is the end.
 * 0, or negative with `err`: a file became shorter or is damaged, which is the end of following; or there is no memory.
 */
int ct_reader_extend(struct ct_reader *reader, const struct ct_read_input *inputs, size_t count, bool last,
                     struct ct_error *err);

/* Names of a program's code that somebody found while its file grows: whole SYMBOLS blocks. */
struct ct_read_names {
    unsigned input;
    uint8_t arena_id[CT_UUID_SIZE];     /* as the program's RUN block has it */
    const void *blocks;                 /* borrowed until ct_reader_close */
    size_t size;
};

/*
 * Takes in names; code that has one keeps it.  Names of a program that is not known (any more) are left out.  0, or negative
 * with `err`: no memory, or no such blocks.
 */
int ct_reader_take_names(struct ct_reader *reader, const struct ct_read_names *names, struct ct_error *err);
/* Up to when everything that is known was handed out, once 0 was returned; and how long an input is by now. */
int64_t ct_reader_known_ns(const struct ct_reader *reader);
uint64_t ct_reader_bytes(const struct ct_reader *reader, unsigned input);
/* Whether anything can be handed out by now, or at the next look, and times be told; before that, a reader that follows is to be opened again. */
bool ct_reader_begun(const struct ct_reader *reader);

/* How one input ends; known after ct_reader_open except for damage inside of blocks, which next meets. */
struct ct_read_ending {
    bool complete;              /* closed by an END block */
    bool recovered;             /* parts were written by recovery */
    uint64_t cut_offset;        /* without complete: the byte at which it ends */
    int damage;                 /* 0, or what next returns at last */
    struct ct_error error;      /* the sentence, when damaged or cut */
};
const struct ct_read_ending *ct_reader_ending(const struct ct_reader *reader, unsigned input);

/* Every program and thread seen so far; programs are all there after ct_reader_open. */
unsigned ct_reader_program_count(const struct ct_reader *reader);
struct ct_read_program *ct_reader_program(const struct ct_reader *reader, unsigned index);
unsigned ct_reader_thread_count(const struct ct_reader *reader);
struct ct_read_thread *ct_reader_thread(const struct ct_reader *reader, unsigned index);
/* The thread with this serial (a THREAD field, ct_read_thread.parent), or NULL when the trace never spoke of it. */
struct ct_read_thread *ct_read_thread(const struct ct_read_program *program, uint64_t serial);

/* First and last moment of the whole, by what its generations say; and CLOCK_REALTIME of time 0 in ns. */
int64_t ct_reader_end_ns(const struct ct_reader *reader);
int64_t ct_reader_realtime_ns(const struct ct_reader *reader);

/* The schema entry of event `no` (<= 255) in this program's part of the file, or NULL. */
const struct ct_read_event_info *ct_read_schema(const struct ct_read_program *program, unsigned no);

/* An interned string.  False when the definition is missing: show the id; true and empty for id 0. */
bool ct_read_string(const struct ct_read_generation *generation, uint64_t id, struct ct_text *ret);

/* An interned stack; NULL for CT_STACK_NONE, CT_STACK_LOST, and when the definition is missing. */
const struct ct_read_stack *ct_read_stack(const struct ct_read_generation *generation, uint64_t id);

/* The frames of a code address, innermost first; their number, 0 when the trace holds no name for it. */
size_t ct_read_frames(const struct ct_read_program *program, uint64_t pc, const struct ct_read_frame **ret);

/* The module that covers an address, NULL when none does (of those seen so far). */
const struct ct_read_module *ct_read_module(const struct ct_read_program *program, uint64_t address);

/* The text of the COVER block of an input: who cut or merged it; empty when there is none. */
struct ct_text ct_reader_cover(const struct ct_reader *reader, unsigned input);

/* What the reader could not use, for `info`: never silently. */
struct ct_read_oddities {
    uint64_t duplicate_pieces;  /* dropped, harmless: seen twice after a recovery */
    uint64_t missing_pieces;    /* a batch goes on after a hole: the rest of it has no times and was left out */
    uint64_t missing_bytes;
    uint64_t too_late;          /* blocks of a generation that was handed out already, while a file grew */
    uint64_t unknown_blocks;    /* of a newer version, stepped over */
    uint64_t late_pieces;
    uint64_t disordered;        /* events whose time was raised, so that it does not run backwards: most were stamped before a turn
                                   of generations and written after it */
    uint64_t raised_ns;         /* by so much at most */
};
const struct ct_read_oddities *ct_reader_oddities(const struct ct_reader *reader);

/* Bytes of the file by kind of block, for `info`; `type` is an enum ct_block_type. */
uint64_t ct_reader_block_bytes(const struct ct_reader *reader, unsigned input, unsigned type, uint64_t *ret_blocks);
