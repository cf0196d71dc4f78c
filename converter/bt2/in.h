/*
 * CTF in: what a graph of babeltrace2 delivers, written as trace.out, so that the reader stays the only way in.
 * Times become ns on the wall clock; each traced program gets a part of the file, each second of it a generation.
 */
#pragma once

#include <babeltrace2/babeltrace.h>

#include "converter/bt2/dump.h"
#include "converter/bt2/value.h"
#include "converter/build.h"

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
    CT_IN_REGION_BEGIN, CT_IN_REGION_END,
    CT_IN_LOCK_BEGIN, CT_IN_LOCK_END, CT_IN_UNLOCK,     /* of LTTng's wrappers of pthread_mutex_lock and _unlock */
    CT_IN_NAMED,                        /* an event of the program's own schema: `no` */
    CT_IN_LOG,                          /* a message: there are more classes than numbers, or fields than an event has */
};

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
    char name[CT_IN_NAME_BYTES];        /* as a word; of a region: without what says that it begins or ends */
    char fields[CT_EVENT_FIELDS_MAX][CT_IN_NAME_BYTES];
};

struct ct_in_stack {
    uint64_t id;
    uint32_t depth, first;              /* of `pcs` */
    bool open;
};

struct ct_in_thread {
    uint64_t tid;
    char name[CT_NAME_MAX];
};

struct ct_in_program {
    const bt_trace *trace;
    int64_t pid;
    bool own;                           /* its tables come as events, generations too */
    struct ct_build_program *to;
    struct ct_build_generation *g;      /* under way; NULL: none */
    bool titled;                        /* by the name of a thread */
    unsigned named;                     /* numbers of events that its schema has */
    uint64_t numbers, g_events;
    uint64_t g_start;
    struct ct_in_texts texts, names;    /* of the generation, of the program */
    struct ct_idmap stacks;             /* of the generation: hash -> place in stack_list */
    CT_LIST(struct ct_in_stack) stack_list;
    CT_LIST(uint64_t) pcs;
    CT_LIST(struct ct_module_row) modules;
    struct ct_idmap tids;               /* -> place in threads; serial is one more */
    CT_LIST(struct ct_in_thread) threads;
};

/* Packets by their address, until another takes the place. */
enum { CT_IN_PACKETS = 256 };
struct ct_in_packet {
    const bt_packet *packet;
    uint64_t serial;
};

struct ct_in {
    struct ct_output *out;
    struct ct_error *err;
    struct ct_build build;
    const struct ct_build_program *written;
    CT_LIST(struct ct_in_program *) programs;
    struct ct_idmap class_places;       /* by address */
    CT_LIST(struct ct_in_class *) classes;
    unsigned named;                     /* numbers that are taken */
    struct ct_in_packet packets[CT_IN_PACKETS];
    uint64_t now;                       /* ns on the wall clock */
    int64_t base;                       /* of the message's clock: what its 0 is */
    uint64_t pcs[CT_STACK_MAX];         /* the stack that was read last */
    char described[CT_DUMP_FIELDS_MAX][CT_IN_DESCRIBED_BYTES];  /* and fields that became text */
};

/* in_texts.c: a copy that lasts; `at` is NULL without memory.  forget takes back the newest. */
struct ct_text ct_in_text(struct ct_in_texts *texts, struct ct_text text);
void ct_in_text_forget(struct ct_in_texts *texts, struct ct_text text);
void ct_in_texts_fini(struct ct_in_texts *texts);

/* in_class.c: NULL without memory. */
const struct ct_in_class *ct_in_class(struct ct_in *in, const bt_event_class *class);

/* in_value.c: the members of `structure` that `class` names, as values; texts are borrowed from the message. */
void ct_in_values(struct ct_in *in, const struct ct_in_class *class, const bt_field *structure, struct ct_bt2_value *ret);
/* Any field as text: "a=1 b=[2, 3]" for a structure. */
void ct_in_describe(struct ct_buffer *to, const bt_field *field, unsigned depth);
int64_t ct_in_integer(const bt_field *field);

/* in_program.c: 0 or negative with in->err. */
struct ct_in_program *ct_in_program(struct ct_in *in, const bt_trace *trace, int64_t pid);
int ct_in_generation(struct ct_in *in, struct ct_in_program *p, uint64_t number, uint64_t start);
int ct_in_close_generation(struct ct_in *in, struct ct_in_program *p);
/* Writes what is under way; with `whole` the trace is complete. */
int ct_in_end(struct ct_in *in, bool whole);
/* Serial of a thread of a program whose tables do not tell, with the row that says so; 0 without memory. */
uint64_t ct_in_serial(struct ct_in_program *p, int64_t tid, const char *name);

/* in_event.c and in_dump.c: 0 or negative with in->err. */
int ct_in_event(struct ct_in *in, struct ct_in_program *p, uint64_t serial, bool nested, const struct ct_in_class *class,
                const struct ct_bt2_value *values);
int ct_in_dump(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const struct ct_bt2_value *values);

/* in_sink.c: everything that one message says. */
int ct_in_message(struct ct_in *in, const bt_message *message);
void ct_in_fini(struct ct_in *in);
