/* Programs of a trace under construction: one generation of each in memory, written when the next begins. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

enum { SECOND = 1000000000, GENERATION_EVENTS = 4 << 20 };

static int no_memory(struct ct_in *in)
{
    return ct_error_at(in->err, -ENOMEM, 0, "no memory");
}

static struct ct_text keep(struct ct_in_program *p, const char *text)
{
    return ct_in_text(&p->names, (struct ct_text){ text, strlen(text) });
}

/* A number for the machine, as good as that of its start: CTF knows names of hosts only. */
static void mark_host(const char *name, uint8_t id[CT_UUID_SIZE])
{
    uint64_t h[2] = { 0xcbf29ce484222325u, 0x84222325cbf29ce4u };

    for (size_t i = 0; name[i]; i++) {
        h[0] = (h[0] ^ (uint8_t)name[i]) * 0x100000001b3u;
        h[1] = (h[1] ^ (uint8_t)name[i]) * 0x9e3779b97f4a7c15u;
    }
    memcpy(id, h, CT_UUID_SIZE);
}

static const char *name_of(const struct ct_in_program *p)
{
    const char *name = ct_in_environment(p->trace->trace, "procname");

    if (p->pid < 0)
        return p->pid == CT_IN_THE_KERNEL ? "kernel" : "(process not told)";
    if (!*name)
        name = p->pid > 0 ? "process" : bt_trace_get_name(p->trace->trace);     /* a trace's name is often its host's */
    return name && *name ? name : "trace";
}

/* What is known of a program before its first event.  What its tables say comes in its place. */
static void introduce(struct ct_in_program *p)
{
    struct ct_run *run = &p->to->run;
    const bt_trace *trace = p->trace->trace;
    bt_uuid uuid = bt_trace_get_uuid(trace);
    const char *name = name_of(p);

    p->titled = p->pid < 0;
    *run = (struct ct_run){ .pid = p->pid > 0 ? (uint64_t)p->pid : 0, .clock = CT_CLOCK_MONOTONIC, .ticks_per_second = SECOND };
    if (uuid)
        memcpy(run->run_id, uuid, CT_UUID_SIZE);
    memcpy(run->arena_id, &p, sizeof p);                /* another for each program of the file */
    if (*p->trace->host->name)
        mark_host(p->trace->host->name, run->boot_id);
    run->host = keep(p, p->trace->host->name);
    run->program = keep(p, name);
    run->version = keep(p, ct_in_environment(trace, "tracer_name"));
    run->system = keep(p, ct_in_environment(trace, "sysname"));
}

int ct_in_schema(struct ct_in *in, struct ct_in_program *p)
{
    int r = 0;

    p->to->schema.list.count = 0;
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

static struct ct_in_program *add_program(struct ct_in *in, const struct ct_in_trace *trace, int64_t pid)
{
    struct ct_in_program *p = calloc(1, sizeof *p), **slot = p ? ct_list_add(&in->programs) : NULL;

    if (!slot) {
        free(p);
        return NULL;
    }
    *slot = p;
    *p = (struct ct_in_program){ .trace = trace, .pid = pid, .own = trace->own, .to = ct_build_program(&in->build) };
    if (!p->to || ct_in_schema(in, p) < 0)
        return NULL;
    introduce(p);
    return p;
}

/* One that has a number: it is the same in all traces of the host. */
static struct ct_in_program *of_host(struct ct_in *in, const struct ct_in_trace *trace, int64_t pid)
{
    uint32_t place = ct_idmap_get(&trace->host->program_places, (uint64_t)pid);
    struct ct_in_program *p;

    if (place != CT_IDMAP_NONE)
        return in->programs.items[place];
    p = add_program(in, trace, pid);
    return p && ct_idmap_add(&trace->host->program_places, (uint64_t)pid, (uint32_t)in->programs.count - 1) == 0 ? p : NULL;
}

struct ct_in_program *ct_in_program(struct ct_in *in, const struct ct_in_trace *trace, int64_t pid)
{
    struct ct_in_program *p = NULL;

    if (pid != 0 && !trace->own) {
        p = of_host(in, trace, pid);
    } else {
        for (size_t i = in->programs.count; i-- > 0;)
            if (in->programs.items[i]->trace == trace && (trace->own || in->programs.items[i]->pid == pid))
                return in->programs.items[i];
        p = add_program(in, trace, pid);
    }
    if (!p)
        no_memory(in);
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
    p->told = true;
    if (r == 0)
        r = ct_build_write_generation(p->to, g, in->out);
    ct_in_texts_fini(&p->texts);
    ct_idmap_clear(&p->stacks);
    p->stack_list.count = p->pcs.count = 0;
    return r < 0 ? ct_error_at(in->err, r, 0, "%s", strerror(-r)) : 0;
}

/* The row of thread `i` for the generation under way.  One that nobody told of yet waits for nothing that is known. */
static int put_row(struct ct_in_program *p, size_t i)
{
    const struct ct_in_thread *thread = &p->threads.items[i];
    struct ct_thread_row row = { .serial = i + 1, .tid = thread->tid, .cpu = thread->cpu, .since_ticks = thread->since,
                                 .name = { thread->name, strlen(thread->name) } };

    if (thread->doing == CT_IN_EXITED)
        return 0;
    if (thread->doing != CT_IN_RUNS) {
        row.state = CT_THREAD_WAITING;
        row.reason = CT_EV_SCHED_OUT;
        row.object = thread->call;
        row.since_ticks = thread->doing == CT_IN_WAITS ? thread->since : 0;
    }
    return ct_build_row(&p->g->threads, thread_row, &row);
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
    if (p->g_first == 0)
        p->g_first = start;
    p->g_events = 0;
    for (size_t i = 0; r == 0 && i < p->modules.count; i++)
        r = ct_build_row(&p->g->modules, module_row, &p->modules.items[i]);
    for (size_t i = 0; r == 0 && i < p->threads.count; i++)
        r = put_row(p, i);
    return r < 0 ? no_memory(in) : 0;
}

/* One that another thread told of before it said anything itself. */
static uint64_t name_thread(struct ct_in_program *p, uint32_t place, const char *name)
{
    struct ct_in_thread *thread = &p->threads.items[place];

    strncpy(thread->name, name, sizeof thread->name - 1);
    return !p->g || put_row(p, place) == 0 ? place + 1 : 0;
}

/* A program whose tables nobody tells has a generation each second, or each few million events. */
int ct_in_room(struct ct_in *in, struct ct_in_program *p)
{
    if (p->g && (p->own || (in->now - p->g_start < SECOND && p->g_events < GENERATION_EVENTS)))
        return 0;
    if (p->g) {
        p->g->has_end = true;
        p->g->end.clock = (struct ct_clock_sample){ in->now, in->now, in->now };
    }
    return ct_in_generation(in, p, p->numbers + 1, in->now);
}

int ct_in_tell(struct ct_in *in)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < in->programs.count; i++) {
        struct ct_in_program *p = in->programs.items[i];

        if (!p->g || p->own)
            continue;
        p->g->has_end = true;
        p->g->end.clock = (struct ct_clock_sample){ in->now, in->now, in->now };
        r = ct_in_close_generation(in, p);
    }
    ct_output_flush(in->out);
    return r;
}

uint64_t ct_in_serial(struct ct_in_program *p, int64_t tid, uint64_t life, const char *name, enum ct_in_doing doing, int64_t cpu)
{
    uint64_t key = (uint64_t)tid ^ life << 32;
    uint32_t place = ct_idmap_get(&p->tids, key);
    struct ct_in_thread *thread;

    if (place != CT_IDMAP_NONE && (!*name || p->threads.items[place].name[0]))
        return place + 1;
    if (place != CT_IDMAP_NONE)
        return name_thread(p, place, name);
    thread = ct_list_add(&p->threads);
    if (!thread || ct_idmap_add(&p->tids, key, (uint32_t)p->threads.count - 1) < 0)
        return 0;
    *thread = (struct ct_in_thread){ .tid = tid > 0 ? (uint64_t)tid : 0, .doing = doing, .cpu = (unsigned)(cpu + 1) };
    strncpy(thread->name, name, sizeof thread->name - 1);
    if (*name && (!p->titled || tid == p->pid)) {
        struct ct_text title = keep(p, name);

        p->to->run.program = title.at ? title : p->to->run.program;
        p->titled = true;
    }
    return !p->g || put_row(p, p->threads.count - 1) == 0 ? p->threads.count : 0;
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
