/*
 * What stands in the blocks that are not events: one struct a row, one put and one get each.
 * A put appends one row to a buffer and sets buffer->full when there is no room.  A get reads one row from a cursor:
 * 0, -ENODATA or -EINVAL with `err` filled.  Texts in rows are borrowed from the memory they were read from.
 */
#pragma once

#include <stdbool.h>

#include "format/buffer.h"
#include "format/cursor.h"
#include "format/limits.h"

struct ct_text {
    const char *at;             /* not terminated */
    size_t size;
};

enum ct_clock_kind { CT_CLOCK_TSC = 1, CT_CLOCK_CNTVCT = 2, CT_CLOCK_MONOTONIC = 3 };

/* One traced program: from exec to exec or exit. */
struct ct_run {
    uint8_t run_id[CT_UUID_SIZE];       /* the same in all files of one `ctrace record` or trace_start family */
    uint8_t arena_id[CT_UUID_SIZE];     /* random; finds the arena of a program that was killed */
    uint8_t boot_id[CT_UUID_SIZE];
    uint64_t pid, parent_pid, uid;
    uint64_t start_time;                /* field 22 of /proc/PID/stat: clock ticks since boot */
    uint64_t clock;                     /* enum ct_clock_kind */
    uint64_t ticks_per_second;          /* nominal; generations carry exact pairs */
    uint64_t cpus;                      /* configured logical CPUs */
    uint64_t categories;                /* bit mask of those recorded */
    struct ct_text host, program, arguments, version, system;   /* arguments: NUL-separated; version: ctrace's */
};

/*
 * What people call the program: the name it was started by, argv[0] without its folder, or that of its file when there is
 * none.  A file may serve under several names: redis-server is a link to redis-check-rdb.  Borrowed from `run`.
 */
struct ct_text ct_run_name(const struct ct_run *run);

/* Three clocks read at the same moment. */
struct ct_clock_sample {
    uint64_t ticks, monotonic_ns, realtime_ns;
};

enum ct_pause_kind { CT_PAUSE_TURN = 0, CT_PAUSE_START = 1, CT_PAUSE_STOP = 2 };

struct ct_generation {
    struct ct_clock_sample clock;       /* at its start */
    uint64_t pause_ticks;               /* how long turning to it took: the tracer's own pause, ends at clock.ticks */
    uint64_t pause_kind;                /* 0 turn, 1 start of tracing */
};

struct ct_generation_end {
    struct ct_clock_sample clock;       /* at its end */
    uint64_t events_lost;               /* dropped in this generation, all threads */
    uint64_t flags;                     /* 1: recovered or cut, the end is not exact */
    uint64_t pause_ticks;               /* the tracer's own pause, ends at clock.ticks */
    uint64_t pause_kind;                /* 0 none, 2 end of tracing */
};

/* id and definition of an interned string, address or stack. */
struct ct_string_row { uint64_t id; struct ct_text text; };
struct ct_address_row { uint64_t id, address; };
struct ct_stack_row {
    uint64_t id;
    uint64_t truncated;                 /* 1: the root side is missing */
    uint32_t depth;
    uint64_t pcs[CT_STACK_MAX];         /* return addresses, innermost first */
};

enum ct_thread_state {                  /* what a thread is doing; `object` and `call` say more */
    CT_THREAD_RUNNING = 0,
    CT_THREAD_WAITING = 1,              /* `reason` is the number of the BEGIN event, `object` its object */
    CT_THREAD_IN_CALL = 2,              /* `reason` is a number of calls.def, `object` the descriptor */
    CT_THREAD_EXITED = 3,
};

struct ct_thread_row {
    uint64_t serial;                    /* never used again in this program; 1 is the main thread */
    uint64_t tid, parent;               /* parent: serial, 0 unknown */
    uint64_t routine;                   /* start routine's address, 0 unknown */
    uint64_t start_ticks, exit_ticks;   /* 0: unknown, not yet */
    uint64_t state, reason, object;     /* enum ct_thread_state */
    uint64_t since_ticks;
    uint64_t cpu;                       /* last seen on, + 1; 0 unknown */
    uint64_t lost;                      /* events dropped since it began */
    struct ct_text name;
};

struct ct_module_row {
    uint64_t start, end;                /* addresses it covers in the program */
    uint64_t offset;                    /* file offset of `start` */
    uint64_t bias;                      /* what to take off an address to get the file's own (vaddr); modulo 2^64 */
    struct ct_text build_id, path;      /* build_id: raw bytes, may be empty */
};

struct ct_batch_piece {
    uint64_t batch;                     /* id, unique in the program */
    uint64_t thread;                    /* serial */
    uint64_t offset;                    /* of these bytes within the batch */
    uint64_t base_ticks;                /* the batch's base: the first event's delta counts from it */
    uint64_t nested;                    /* 1: written by a signal handler that interrupted an emit */
};

struct ct_symbol_row {
    uint64_t pc;                        /* as it stands in stacks, or a start routine */
    uint64_t inlined;                   /* 0 outermost frame of this pc; rows of one pc stand innermost first */
    uint64_t line;                      /* 0 unknown */
    struct ct_text function, file, module;
};

struct ct_directory_row {
    uint64_t generation;                /* of these blocks; 0: they belong to none */
    uint64_t offset, size;              /* neighbouring blocks of the file; a generation may have several rows */
    uint64_t start_ns, end_ns;          /* CLOCK_MONOTONIC, of its first and last row if they are here */
    uint64_t events;
    uint64_t end_offset;                /* of its GENERATION_END; 0: not here */
    uint64_t flags;                     /* those of all its blocks, enum ct_block_flags */
};

/* Payload of the FOOT block, of fixed size: it is found from the end of the file. */
enum { CT_FOOT_SIZE = 16 };
struct ct_foot {
    uint64_t directory;                 /* where the first DIRECTORY block of the file begins */
    uint64_t named;                     /* 1: there are names of code addresses */
};
void ct_foot_put(uint8_t *to, const struct ct_foot *foot);
void ct_foot_get(const uint8_t *from, struct ct_foot *ret);

enum ct_end_reason {
    CT_END_EXIT = 0,                    /* the program exited, `status` */
    CT_END_SIGNAL = 1,                  /* killed by signal `status` */
    CT_END_STOP = 2,                    /* trace_stop(), `ctrace` was asked to stop, --duration */
    CT_END_SIZE = 3,                    /* --max-size */
    CT_END_EXEC = 4,                    /* became another program; a RUN block may follow */
    CT_END_TROUBLE = 5,                 /* the recorder gave up; `text` says why */
    CT_END_RECOVERED = 6,               /* nobody drained the end; folded in later */
};

struct ct_end {
    uint64_t reason, status;
    uint64_t events_lost;               /* of the whole trace */
    struct ct_text text;
};

#define CT_TABLES(ROW) \
    ROW(run) ROW(generation) ROW(generation_end) ROW(string_row) ROW(address_row) ROW(stack_row) ROW(thread_row) \
    ROW(module_row) ROW(batch_piece) ROW(symbol_row) ROW(directory_row) ROW(end)

#define ROW(name) \
    void ct_##name##_put(struct ct_buffer *b, const struct ct_##name *row); \
    int ct_##name##_get(struct ct_cursor *c, struct ct_##name *ret, struct ct_error *err);
CT_TABLES(ROW)
#undef ROW

/* SCHEMA block: all events of this version.  The get side is the reader's, event by event. */
struct ct_schema_row {
    uint64_t no, shape, category, field_count;
    struct ct_text name;
    struct { uint64_t type; struct ct_text name; } fields[CT_EVENT_FIELDS_MAX];
};
void ct_schema_put(struct ct_buffer *b);
void ct_schema_row_put(struct ct_buffer *b, const struct ct_schema_row *row);
int ct_schema_row_get(struct ct_cursor *c, struct ct_schema_row *ret, struct ct_error *err);
