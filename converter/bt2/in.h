/*
 * CTF in: what a graph of babeltrace2 delivers, written as trace.out, so that the reader stays the only way in.
 * Times become ns on the wall clock; each traced program gets a part of the file, each second of it a generation.
 */
#pragma once

#include <babeltrace2/babeltrace.h>

#include "converter/bt2/ctf_in.h"
#include "converter/bt2/dump.h"
#include "converter/bt2/value.h"
#include "converter/build.h"
#include "converter/symbols/symbols.h"

enum { CT_IN_TEXTS_BYTES = 64 << 10, CT_IN_DESCRIBED_BYTES = 512, CT_IN_LOG_BYTES = 2048, CT_IN_NAME_BYTES = 64 };

/* Texts that stay until all are freed. */
struct ct_in_texts {
    CT_LIST(char *) chunks;
    size_t used, size;                  /* of the last chunk */
};

/* Numbers of events that are not ours; what is below is for later versions of ours. */
enum { CT_IN_FIRST = 128, CT_IN_LAST = 255 };

/* What an event class becomes. */
enum ct_in_kind {
    CT_IN_OURS,                         /* event `no`, with the fields of events.def */
    CT_IN_DUMP,                         /* a row of table `no` */
    CT_IN_LOCK_BEGIN, CT_IN_LOCK_END, CT_IN_UNLOCK,     /* of LTTng's own libraries, and the next two lines as well */
    CT_IN_ALLOC, CT_IN_ALLOC_MANY, CT_IN_ALLOC_TRIED, CT_IN_REALLOC, CT_IN_FREE,
    CT_IN_FUNCTION_ENTRY, CT_IN_FUNCTION_EXIT,
    CT_IN_STATEDUMP,                    /* of LTTng's own threads, when a session begins: no more than `loading` says */
    CT_IN_KERNEL,                       /* of a trace of the kernel: `no` is an enum ct_in_kernel_event */
    CT_IN_NAMED,                        /* an event of the program's own schema: `no` */
    CT_IN_LOG,                          /* a message: there are more classes than numbers, or fields than an event has */
};

/* What the kernel tells that means something to us; the fields are those of in_kernel_class.c. */
enum ct_in_kernel_event {
    CT_IN_SWITCH, CT_IN_WAKING, CT_IN_WAKEUP, CT_IN_FORK, CT_IN_EXIT, CT_IN_EXEC, CT_IN_PROCESS,
    CT_IN_IRQ_ENTRY, CT_IN_IRQ_EXIT, CT_IN_SOFTIRQ_ENTRY, CT_IN_SOFTIRQ_EXIT, CT_IN_ISSUE, CT_IN_COMPLETE,
    CT_IN_CALL_ENTRY, CT_IN_CALL_EXIT,
};

/* What one half of a pair is to its range; and numbers of ranges, those of events begin with CT_IN_RANGES. */
enum ct_in_half { CT_IN_NO_HALF, CT_IN_BEGINS, CT_IN_ENDS };
enum { CT_IN_REGIONS, CT_IN_FUNCTIONS, CT_IN_RANGES };

/* What an event tells of files with code, besides what it becomes. */
enum ct_in_loading { CT_IN_NOT_LOADING, CT_IN_LOADS, CT_IN_BUILD_ID, CT_IN_UNLOADS };

/* How a field is read: the class of a field does not change, and asking it takes as long as reading. */
enum ct_in_read { CT_IN_UNSIGNED, CT_IN_SIGNED, CT_IN_STRING, CT_IN_STACK, CT_IN_ANY };

struct ct_in_class {
    enum ct_in_kind kind;
    unsigned no, count;
    struct ct_event_info info;          /* of what it becomes */
    int8_t member[CT_DUMP_FIELDS_MAX];  /* of the payload, by field */
    uint8_t type[CT_DUMP_FIELDS_MAX];   /* of the field, enum ct_type */
    uint8_t read[CT_DUMP_FIELDS_MAX];   /* enum ct_in_read */
    int vpid, vtid, procname, nested;   /* members of the common context; -1: none */
    int pid, tid, ip;
    enum ct_in_half half;               /* of range `range`, which is called range_name */
    unsigned range;
    char range_name[CT_IN_NAME_BYTES];
    enum ct_in_loading loading;
    bool of_loader;                     /* told by the thread that loads, or by LTTng's own, when it looks */
    unsigned call;                      /* of a system call: number in calls.def, 0 none */
    char name[CT_IN_NAME_BYTES];        /* as a word */
    char fields[CT_EVENT_FIELDS_MAX][CT_IN_NAME_BYTES];
};

struct ct_in_stack {
    uint64_t id;
    uint32_t depth, first;              /* of `pcs` */
    bool open;
};

/* What a thread does as far as the kernel told; for the rows of generations. */
enum ct_in_doing { CT_IN_RUNS, CT_IN_UNTOLD, CT_IN_WAITS, CT_IN_EXITED };

/* A range that began and did not end. */
struct ct_in_open {
    unsigned range;
    uint64_t what;                      /* of a function: its address */
};

struct ct_in_thread {
    uint64_t tid;
    char name[CT_NAME_MAX];
    enum ct_in_doing doing;
    unsigned cpu, call;                 /* cpu: and one; 0 not told */
    uint64_t born, since;               /* 0: not told */
    uint64_t last;                      /* time of its newest event */
    const bt_stream *seen;              /* which that was in; only compared */
    CT_LIST(struct ct_in_open) open;
};

/* A mutex of whose waits and unlocks somebody tells; 0: nobody. */
struct ct_in_mutex {
    uint64_t owner, since;              /* serial, and since when */
    uint64_t before;                    /* who had it until then, and has not told of the unlock */
};

struct ct_in_program {
    const struct ct_in_trace *trace;    /* that told of it first */
    int64_t pid;                        /* of the host; CT_IN_THE_KERNEL, CT_IN_NOBODY */
    bool own;                           /* its tables come as events, generations too */
    struct ct_build_program *to;
    struct ct_build_generation *g;      /* under way; NULL: none */
    bool titled;                        /* by the name of a thread */
    bool told;                          /* its schema was written */
    unsigned named;                     /* numbers of events that its schema has */
    uint64_t numbers, g_events;
    uint64_t g_start, g_first;          /* of this one, of the first */
    struct ct_in_texts texts, names;    /* of the generation, of the program */
    struct ct_idmap stacks;             /* of the generation: hash -> place in stack_list */
    CT_LIST(struct ct_in_stack) stack_list;
    CT_LIST(uint64_t) pcs;
    CT_LIST(struct ct_module_row) modules;
    struct ct_idmap tids;               /* -> place in threads; serial is one more */
    CT_LIST(struct ct_in_thread) threads;
    struct ct_idmap mutex_places;       /* by address */
    CT_LIST(struct ct_in_mutex) mutexes;
    struct ct_idmap function_places;    /* by address */
    CT_LIST(struct ct_text) functions;  /* names; size 0: it has none */
};

/* A thread of a host, by the kernel's number; when that is used again it is another. */
struct ct_in_task {
    int64_t tid, pid;                   /* pid: CT_IN_NOBODY as long as it is not told */
    char name[CT_NAME_MAX];
    struct ct_in_program *program;      /* NULL: no event of it was written yet */
    uint64_t serial, life;
    bool exiting;
    const struct ct_in_class *call;     /* the system call that it is in; NULL: none that is known */
    uint64_t call_since;
    char *arguments;                    /* of that; NULL: none */
};

struct ct_in_cpu {
    int64_t tid;                        /* runs there; CT_IN_NOBODY: not told yet */
    unsigned interrupts;                /* handlers that began there and did not end */
    uint64_t serial;                    /* of its row of interrupts; 0: none yet */
};

enum { CT_IN_THE_KERNEL = -1, CT_IN_NOBODY = -2, CT_IN_CPUS_MAX = 4096 };

struct ct_in_host {
    char *name;
    bool kernel;                        /* a trace of its kernel is among those read */
    bool wakings;                       /* which tells of sched_waking: sched_wakeup says no more then */
    struct ct_idmap task_places;
    CT_LIST(struct ct_in_task) tasks;
    CT_LIST(struct ct_in_cpu) cpus;
    struct ct_idmap program_places;     /* by pid */
};

struct ct_in_trace {
    const bt_trace *trace;
    struct ct_in_host *host;
    int64_t pid;                        /* of all that it tells of, where each program has buffers of its own; 0: of several */
    bool own, kernel, user;             /* ours; LTTng's domains */
};

/* Packets by their address, until another takes the place. */
enum { CT_IN_PACKETS = 256 };
struct ct_in_packet {
    const bt_packet *packet;
    uint64_t serial;
    int64_t cpu;                        /* -1: not told */
};

/* What was lost of a stream. */
struct ct_in_loss {
    const bt_stream *stream;
    uint64_t count, since;              /* since: when */
    bool pending;                       /* it is not told yet */
    bool has_cpu;
    int64_t cpu;
};

struct ct_in {
    struct ct_output *out;
    struct ct_error *err;
    const struct ct_ctf_options *options;
    struct ct_symbols *symbols;         /* NULL: not asked yet */
    bool placed;                        /* code is spoken of, and files that hold it */
    struct ct_text told;                /* what the event under way says, when it is half of a range; in `room` */
    char told_room[CT_EVENT_TEXT_MAX];
    uint64_t ip;                        /* where the event under way was called from; 0: not told */
    uint64_t ends_alone, cut_ranges;    /* ends without a beginning; ranges that ended with the one around them */
    const struct ct_in_class *end_alone;    /* the first */
    bool threadless;                    /* LTTng told of a program's events, and not of whose threads they are */
    unsigned ruled;                     /* bits: rules of `options` that an event fits */
    struct ct_build build;
    const struct ct_build_program *written;
    CT_LIST(struct ct_in_program *) programs;
    struct ct_in_trace *trace;          /* that was asked for last */
    struct ct_idmap trace_places;       /* by address */
    CT_LIST(struct ct_in_trace *) traces;
    CT_LIST(struct ct_in_host *) hosts;
    CT_LIST(const bt_message *) held;   /* the start of a kernel's trace, until threads are known */
    bool holding;
    int64_t held_from;
    struct ct_idmap class_places;       /* by address */
    CT_LIST(struct ct_in_class *) classes;
    CT_LIST(struct ct_in_loss) losses;
    unsigned pending;                   /* of them */
    unsigned named;                     /* numbers that are taken */
    struct ct_in_packet packets[CT_IN_PACKETS];
    const bt_clock_class *clock;        /* of the first stream; NULL: there was none yet */
    uint64_t now;                       /* ns on the wall clock, and `shift` */
    uint64_t shift;
    bool timed;                         /* the first time was seen */
    int64_t base;                       /* of the message's clock: what its 0 is */
    uint64_t pcs[CT_STACK_MAX];         /* the stack that was read last */
    char described[CT_DUMP_FIELDS_MAX][CT_IN_DESCRIBED_BYTES];  /* and fields that became text */
};

/* in_texts.c: a copy that lasts; `at` is NULL without memory.  forget takes back the newest. */
struct ct_text ct_in_text(struct ct_in_texts *texts, struct ct_text text);
void ct_in_text_forget(struct ct_in_texts *texts, struct ct_text text);
void ct_in_texts_fini(struct ct_in_texts *texts);

/* in_class.c: NULL without memory.  kernel: it is of a trace of the kernel. */
const struct ct_in_class *ct_in_class(struct ct_in *in, const bt_event_class *class, bool kernel);
/* Finds the members for `fields`, which the first without a name ends; false when one is not there, or is something else. */
bool ct_in_find_members(struct ct_in_class *class, const bt_field_class *payload, const struct ct_field_info *fields);

/* in_kernel_class.c: whether the kernel's event `name` is one of enum ct_in_kernel_event. */
bool ct_in_kernel_class(struct ct_in_class *class, const char *name, const bt_field_class *payload);
bool ct_in_tells_switches(const bt_trace *trace);

/*
 * in_range.c: makes the class one half of a range, where its name says so.  begin and end write what they are, with what is
 * told of it (see converter/read/told.h) and empty where nothing is; end is 0 when
 * nothing that began fits, and nothing was written.  Negative with in->err.
 */
void ct_in_range_class(struct ct_in *in, struct ct_in_class *class, const char *name, const bt_stream_class *stream);
int ct_in_range_begin(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned range, uint64_t what, struct ct_text name,
                      struct ct_text told);
int ct_in_range_end(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned range, uint64_t what, struct ct_text told);
/* What is open on the thread, as far as it is followed; NULL: it is not. */
struct ct_in_thread *ct_in_thread_of(struct ct_in_program *p, uint64_t serial);
/* Puts into options->notes what a person should know of the ranges. */
void ct_in_range_notes(const struct ct_in *in);

/* in_lttng.c: events of LTTng's own libraries; 1 when the class is one.  0 or negative with in->err. */
bool ct_in_lttng_class(struct ct_in_class *class, const char *name, const bt_field_class *payload);
int ct_in_lttng(struct ct_in *in, struct ct_in_program *p, uint64_t serial, const struct ct_in_class *class,
                const struct ct_bt2_value *values);

/* in_module.c: what it tells of files with code, for the names of functions; true when the class is no more than that. */
bool ct_in_module_class(struct ct_in_class *class, const char *name);
int ct_in_module(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const bt_field *payload);
/* The name of the function at this address of the program; "0x..." in `room` where nobody knows it. */
struct ct_text ct_in_function(struct ct_in *in, struct ct_in_program *p, uint64_t address, char room[CT_IN_NAME_BYTES]);

/* in_value.c: the members of `structure` that `class` names, as values; texts are borrowed from the message. */
void ct_in_values(struct ct_in *in, const struct ct_in_class *class, const bt_field *structure, struct ct_bt2_value *ret);
/* Any field as text: "a=1 b=[2, 3]" for a structure. */
void ct_in_describe(struct ct_buffer *to, const bt_field *field, unsigned depth);
/* A structure's members as ct_told. */
struct ct_text ct_in_tell_of(const bt_field *structure, char room[CT_EVENT_TEXT_MAX]);
int64_t ct_in_integer(const bt_field *field);

/* in_host.c: NULL without memory. */
struct ct_in_trace *ct_in_trace(struct ct_in *in, const bt_trace *trace);
struct ct_in_task *ct_in_task(struct ct_in_host *host, int64_t tid);
struct ct_in_cpu *ct_in_cpu(struct ct_in_host *host, int64_t cpu);
/* Serial of a thread as user space names it, which is the same for the kernel where that is traced as well; 0 without memory. */
uint64_t ct_in_user_serial(struct ct_in_program *p, int64_t tid, const char *name);
/* What the kernel says of a thread: its process, its name (NULL: nothing). */
void ct_in_task_is(struct ct_in_task *task, int64_t pid, const char *name, size_t size);
/* The number is free for another thread. */
void ct_in_task_over(struct ct_in_task *task);
void ct_in_hosts_fini(struct ct_in *in);
const char *ct_in_environment(const bt_trace *trace, const char *name);
/* The same of a number; 0: there is none. */
int64_t ct_in_environment_number(const bt_trace *trace, const char *name);

/* in_kernel.c: one event of a kernel; 0 or negative with in->err.  At the end what is under way is told. */
int ct_in_kernel(struct ct_in *in, const struct ct_in_trace *trace, const struct ct_in_class *class, const bt_event *event,
                 int64_t cpu);
/* What can be learned of threads from an event before its turn comes. */
void ct_in_kernel_learn(struct ct_in *in, const struct ct_in_trace *trace, const struct ct_in_class *class, const bt_event *event);
int ct_in_kernel_end(struct ct_in *in);
/*
 * in_sink.c.  `class`, or in `room` the same as a message: what a live session tells of after the program's schema was written
 * has no number there.  And what an event says, in `room` where it becomes text.
 */
const struct ct_in_class *ct_in_known_as(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class,
                                         struct ct_in_class *room);
void ct_in_payload(struct ct_in *in, const struct ct_in_class *class, const bt_field *payload, struct ct_bt2_value *ret,
                   char room[CT_IN_LOG_BYTES]);

/* in_hold.c: takes the message when it has to wait.  1 taken, 0 not, negative with in->err. */
int ct_in_hold(struct ct_in *in, const bt_message *message);
int ct_in_release(struct ct_in *in);

/* in_loss.c: 0 or negative with in->err.  A message of what was lost; an event of a stream, before it is taken; the end. */
int ct_in_lost(struct ct_in *in, const bt_message *message);
int ct_in_after_loss(struct ct_in *in, const struct ct_in_trace *trace, const bt_stream *stream, int64_t cpu);
int ct_in_lost_at_end(struct ct_in *in);

/*
 * in_clock.c: the time of a message, NULL: it has none; what was lost has that of its beginning.  Streams without a clock are
 * refused, or with one that has nothing to do with that of the first.  0, or negative with in->err.
 */
const bt_clock_snapshot *ct_in_clock_of(const bt_message *message, bt_message_type type);
int ct_in_check_clock(struct ct_in *in, const bt_stream *stream);
int ct_in_set_time(struct ct_in *in, const bt_clock_snapshot *clock);

/* in_program.c: 0 or negative with in->err. */
struct ct_in_program *ct_in_program(struct ct_in *in, const struct ct_in_trace *trace, int64_t pid);
/* All events that have a number now, as long as that is not written yet. */
int ct_in_schema(struct ct_in *in, struct ct_in_program *p);
/* A generation that can take an event now. */
int ct_in_room(struct ct_in *in, struct ct_in_program *p);
int ct_in_generation(struct ct_in *in, struct ct_in_program *p, uint64_t number, uint64_t start);
int ct_in_close_generation(struct ct_in *in, struct ct_in_program *p);
/* Ends what is under way, and hands on all that was written: somebody reads it while it grows. */
int ct_in_tell(struct ct_in *in);
/* Writes what is under way; with `whole` the trace is complete. */
int ct_in_end(struct ct_in *in, bool whole);
/* Serial of a thread of a program whose tables do not tell, with the row that says so; 0 without memory.  cpu: -1 not told. */
uint64_t ct_in_serial(struct ct_in_program *p, int64_t tid, uint64_t life, const char *name, enum ct_in_doing doing, int64_t cpu);

/* in_event.c and in_dump.c: 0 or negative with in->err. */
/* An event of ours, with the fields of events.def. */
int ct_in_ours(struct ct_in *in, struct ct_in_program *p, uint64_t serial, unsigned no, const struct ct_bt2_value *values);
int ct_in_event(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, const struct ct_in_class *class,
                const struct ct_bt2_value *values);
int ct_in_dump(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const struct ct_bt2_value *values);

/* in_sink.c: everything that one message says. */
int ct_in_message(struct ct_in *in, const bt_message *message);
/* The same without holding it back. */
int ct_in_message_now(struct ct_in *in, const bt_message *message);
/* An integer among the members, or `otherwise` when `member` is -1. */
int64_t ct_in_member(const bt_field *structure, int member, int64_t otherwise);
/* Puts into options->notes that threads are not told apart, where that is so. */
void ct_in_thread_notes(const struct ct_in *in);
void ct_in_fini(struct ct_in *in);
