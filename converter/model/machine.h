/* The inside of the model: what its files share.  Not for others. */
#pragma once

#include "converter/model/kernel.h"
#include "converter/model/lanes.h"
#include "converter/model/model.h"
#include "converter/model/tasks.h"
#include "converter/model/wakes.h"

/* A thread that was created and was not seen to start: the arrow comes when it is. */
struct ct_creation {
    struct ct_model_thread *creator;
    uint64_t child;                     /* serial; 0: no such */
    int64_t ns;
};

enum { CT_CREATIONS = 64 };

struct ct_model {
    struct ct_reader *reader;
    struct ct_model_options options;
    const struct ct_model_sink *sink;
    void *context;                      /* the sink's */
    struct ct_stacks *stacks;
    struct ct_wakes *wakes;
    struct ct_tasks *tasks;
    struct ct_lanes *lanes;
    struct ct_kernel *kernel;
    struct ct_creation creation[CT_CREATIONS];
    unsigned creation_next;
    int64_t now;                        /* of the last item */
    bool no_memory;
};

/* Cuts [start, end] to the range asked for; false when nothing is left. */
static inline bool ct_model_clip(const struct ct_model *m, int64_t *start, int64_t *end)
{
    if (*end < m->options.from_ns || *start >= m->options.to_ns)
        return false;
    if (*start < m->options.from_ns)
        *start = m->options.from_ns;
    if (*end > m->options.to_ns)
        *end = m->options.to_ns;
    return true;
}

static inline bool ct_model_in_range(const struct ct_model *m, int64_t ns)
{
    return ns >= m->options.from_ns && ns < m->options.to_ns;
}

/* --- model.c --- */

/* NULL when memory is short, which `m` then knows. */
struct ct_model_thread *ct_model_thread_new(struct ct_model *m, struct ct_read_thread *read);
void ct_model_rename(struct ct_model *m, struct ct_model_thread *t, struct ct_text name);
void ct_model_thread_exit(struct ct_model *m, struct ct_model_thread *t, int64_t ns);

/* --- events.c --- */

void ct_model_event(struct ct_model *m, const struct ct_read_event *e);

/* --- state.c: what a thread is doing, and where --- */

/* The state from `ns` on; `reason` and `call` as in struct ct_model_thread. */
void ct_thread_state(struct ct_model *m, struct ct_model_thread *t, enum ct_state state, unsigned reason, unsigned call,
                     int64_t ns);

/* The same, said by the kernel: of its threads nobody else knows. */
void ct_thread_scheduled(struct ct_model *m, struct ct_model_thread *t, enum ct_state state, unsigned reason, unsigned call,
                         int64_t ns);

/* --- span.c: slices of a thread --- */

struct ct_open {
    unsigned no, flags;
    int64_t start;
    uint64_t arg[3];
    uint32_t stack;
    uint32_t name_size, told_size;      /* what is told stands behind the name */
    size_t name_at;                     /* in thread->names */
    struct ct_waited *waited;           /* of a wait for memory */
    bool name_lost, from_row;           /* from_row: known only by the thread's row at a generation's start */
};

void ct_span_wait_begin(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e);
/* The thread's row says that it waits and nothing else did. */
/* The innermost wait has this stack, which was not known when it began. */
void ct_span_wait_stack(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e);
void ct_span_wait_from_row(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_thread_row *row);
void ct_span_wait_end(struct ct_model *m, struct ct_model_thread *t, int64_t ns, int64_t result, unsigned flags);

/* The kernel took the thread off its CPU to wait; it is back there.  The innermost wait that the program knows of, or 0. */
void ct_span_block(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e);
void ct_span_unblock(struct ct_model *m, struct ct_model_thread *t, int64_t ns, unsigned flags);
unsigned ct_span_wait(const struct ct_model_thread *t);

/*
 * span_names.c: room for more; false without memory.  Of the innermost slice, what its beginning tells is kept behind its name,
 * and what is told of it now that it ends, borrowed until the next one begins; `names` may move.
 */
bool ct_span_names_grow(struct ct_model_thread *t, size_t size);
void ct_span_keep_told(struct ct_model_thread *t, struct ct_open *o, struct ct_text told);
struct ct_text ct_span_told(struct ct_model_thread *t, const struct ct_open *o);

/* Regions and collector pauses: `no` is REGION_BEGIN or GC_BEGIN.  told: of a range, when it ends. */
void ct_span_begin(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, uint64_t name,
                   uint64_t stack);
void ct_span_end(struct ct_model *m, struct ct_model_thread *t, unsigned no, int64_t ns, struct ct_text told);

/* An event of shape COMPLETE. */
void ct_span_complete(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start,
                      uint64_t name, uint64_t stack);

/* The same of a call on a descriptor of which no stack is known, for a sink that takes calls. */
void ct_span_call(struct ct_model *m, struct ct_model_thread *t, const struct ct_read_event *e, int64_t start);

/* The thread's first act. */
void ct_span_thread_start(struct ct_model *m, struct ct_model_thread *t, int64_t ns, uint64_t parent);

/* A short act that arrows hold on to; drawn when the thread's next event shows how long it can be. */
int64_t ct_span_point(struct ct_model *m, struct ct_model_thread *t, unsigned no, int64_t ns, uint64_t arg);
void ct_span_point_flush(struct ct_model *m, struct ct_model_thread *t, int64_t limit);

/* Ends waits (after losses), or all that is open. */
void ct_span_drop_waits(struct ct_model *m, struct ct_model_thread *t, int64_t ns);
void ct_span_end_all(struct ct_model *m, struct ct_model_thread *t, int64_t ns);
