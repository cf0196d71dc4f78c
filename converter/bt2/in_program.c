/* Programs of a trace under construction: one generation of each in memory, written when the next begins. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

enum { SECOND = 1000000000 };

static int no_memory(struct ct_in *in)
{
    return ct_error_at(in->err, -ENOMEM, 0, "no memory");
}

static const char *environment(const bt_trace *trace, const char *name)
{
    const bt_value *value = bt_trace_borrow_environment_entry_value_by_name_const(trace, name);

    return value && bt_value_is_string(value) ? bt_value_string_get(value) : "";
}

static struct ct_text keep(struct ct_in_program *p, const char *text)
{
    return ct_in_text(&p->names, (struct ct_text){ text, strlen(text) });
}

/* What is known of a program before its first event.  What its tables say comes in its place. */
static void introduce(struct ct_in_program *p)
{
    struct ct_run *run = &p->to->run;
    bt_uuid uuid = bt_trace_get_uuid(p->trace);
    const char *name = environment(p->trace, "procname");

    if (!*name)
        name = bt_trace_get_name(p->trace) ? bt_trace_get_name(p->trace) : "trace";
    *run = (struct ct_run){ .pid = p->pid > 0 ? (uint64_t)p->pid : 0, .clock = CT_CLOCK_MONOTONIC, .ticks_per_second = SECOND };
    if (uuid)
        memcpy(run->run_id, uuid, CT_UUID_SIZE);
    memcpy(run->arena_id, &p, sizeof p);                /* another for each program of the file */
    run->host = keep(p, environment(p->trace, "hostname"));
    run->program = keep(p, name);
    run->version = keep(p, environment(p->trace, "tracer_name"));
    run->system = keep(p, environment(p->trace, "sysname"));
}

/* Our own events, and those that have a number in this file. */
static int write_schema(struct ct_in *in, struct ct_in_program *p)
{
    int r = 0;

    for (unsigned no = 0; r == 0 && no <= CT_IN_LAST; no++) {
        const struct ct_event_info *info = ct_schema_event(no);

        for (size_t i = 0; no >= CT_IN_FIRST && i < in->classes.count; i++)
            if (in->classes.items[i]->kind == CT_IN_NAMED && in->classes.items[i]->no == no)
                info = &in->classes.items[i]->info;
        if (info)
            r = ct_build_event_info(&p->to->schema, no, info);
    }
    p->named = in->named;
    return r;
}

/* All event classes that the trace has now: the schema stands before the first event. */
static int know_classes(struct ct_in *in, struct ct_in_program *p)
{
    const bt_trace_class *class = bt_trace_borrow_class_const(p->trace);
    uint64_t streams = bt_trace_class_get_stream_class_count(class);

    for (uint64_t s = 0; s < streams; s++) {
        const bt_stream_class *stream = bt_trace_class_borrow_stream_class_by_index_const(class, s);
        uint64_t events = bt_stream_class_get_event_class_count(stream);

        for (uint64_t e = 0; e < events; e++) {
            const struct ct_in_class *event =
                ct_in_class(in, bt_stream_class_borrow_event_class_by_index_const(stream, e));

            if (!event)
                return -ENOMEM;
            p->own |= event->kind == CT_IN_DUMP;
        }
    }
    return 0;
}

struct ct_in_program *ct_in_program(struct ct_in *in, const bt_trace *trace, int64_t pid)
{
    struct ct_in_program *p, **slot;

    for (size_t i = in->programs.count; i-- > 0;)
        if (in->programs.items[i]->trace == trace && (in->programs.items[i]->own || in->programs.items[i]->pid == pid))
            return in->programs.items[i];
    p = calloc(1, sizeof *p);
    slot = p ? ct_list_add(&in->programs) : NULL;
    if (!slot) {
        free(p);
        no_memory(in);
        return NULL;
    }
    *slot = p;
    *p = (struct ct_in_program){ .trace = trace, .pid = pid, .to = ct_build_program(&in->build) };
    if (!p->to || know_classes(in, p) < 0 || write_schema(in, p) < 0) {
        no_memory(in);
        return NULL;
    }
    introduce(p);
    return p;
}

int ct_in_close_generation(struct ct_in *in, struct ct_in_program *p)
{
    struct ct_build_generation *g = p->g;
    int r = 0;

    if (!g)
        return 0;
    p->g = NULL;
    if (in->written != p->to)
        r = ct_build_write_program(p->to, in->out);
    in->written = p->to;
    if (r == 0)
        r = ct_build_write_generation(p->to, g, in->out);
    ct_in_texts_fini(&p->texts);
    ct_idmap_clear(&p->stacks);
    p->stack_list.count = p->pcs.count = 0;
    return r < 0 ? ct_error_at(in->err, r, 0, "%s", strerror(-r)) : 0;
}

int ct_in_generation(struct ct_in *in, struct ct_in_program *p, uint64_t number, uint64_t start)
{
    int r = ct_in_close_generation(in, p);

    if (r < 0)
        return r;
    if (number <= p->numbers)
        number = p->numbers + 1;
    p->numbers = number;
    p->g = ct_build_generation(p->to, number);
    if (!p->g)
        return no_memory(in);
    p->g->has_start = true;
    p->g->start = (struct ct_generation){ .clock = { start, start, start } };
    p->g_start = start;
    p->g_events = 0;
    for (size_t i = 0; r == 0 && i < p->modules.count; i++)
        r = ct_build_row(&p->g->modules, module_row, &p->modules.items[i]);
    for (size_t i = 0; r == 0 && i < p->threads.count; i++) {
        const struct ct_in_thread *thread = &p->threads.items[i];
        struct ct_thread_row row = { .serial = i + 1, .tid = thread->tid, .name = { thread->name, strlen(thread->name) } };

        r = ct_build_row(&p->g->threads, thread_row, &row);
    }
    return r < 0 ? no_memory(in) : 0;
}

/* One that another thread told of before it said anything itself. */
static uint64_t name_thread(struct ct_in_program *p, uint32_t place, const char *name)
{
    struct ct_in_thread *thread = &p->threads.items[place];
    struct ct_thread_row row = { .serial = place + 1, .tid = thread->tid };

    strncpy(thread->name, name, sizeof thread->name - 1);
    row.name = (struct ct_text){ thread->name, strlen(thread->name) };
    return !p->g || ct_build_row(&p->g->threads, thread_row, &row) == 0 ? place + 1 : 0;
}

uint64_t ct_in_serial(struct ct_in_program *p, int64_t tid, const char *name)
{
    uint32_t place = ct_idmap_get(&p->tids, (uint64_t)tid);
    struct ct_in_thread *thread;
    struct ct_thread_row row;

    if (place != CT_IDMAP_NONE && (!*name || p->threads.items[place].name[0]))
        return place + 1;
    if (place != CT_IDMAP_NONE)
        return name_thread(p, place, name);
    thread = ct_list_add(&p->threads);
    if (!thread || ct_idmap_add(&p->tids, (uint64_t)tid, (uint32_t)p->threads.count - 1) < 0)
        return 0;
    *thread = (struct ct_in_thread){ .tid = tid > 0 ? (uint64_t)tid : 0 };
    strncpy(thread->name, name, sizeof thread->name - 1);
    if (*name && (!p->titled || tid == p->pid)) {
        struct ct_text title = keep(p, name);

        p->to->run.program = title.at ? title : p->to->run.program;
        p->titled = true;
    }
    row = (struct ct_thread_row){ .serial = p->threads.count, .tid = thread->tid, .name = { thread->name, strlen(thread->name) } };
    return !p->g || ct_build_row(&p->g->threads, thread_row, &row) == 0 ? p->threads.count : 0;
}

int ct_in_end(struct ct_in *in, bool whole)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < in->programs.count; i++) {
        struct ct_in_program *p = in->programs.items[i];

        if (p->g && !p->own) {
            p->g->has_end = true;
            p->g->end.clock = (struct ct_clock_sample){ in->now, in->now, in->now };
        }
        r = ct_in_close_generation(in, p);
        if (r == 0 && in->written != p->to)
            r = ct_build_write_program(p->to, in->out);
        in->written = p->to;
        if (!p->own && whole) {
            p->to->has_end = true;
            p->to->end = (struct ct_end){ .reason = CT_END_STOP };
        }
        if (r == 0)
            r = ct_build_write_end(p->to, in->out);
    }
    return r;
}
