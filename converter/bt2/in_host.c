/* Hosts: which traces are of the same machine, and what is known of its threads and CPUs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

const char *ct_in_environment(const bt_trace *trace, const char *name)
{
    const bt_value *value = bt_trace_borrow_environment_entry_value_by_name_const(trace, name);

    return value && bt_value_is_string(value) ? bt_value_string_get(value) : "";
}

int64_t ct_in_environment_number(const bt_trace *trace, const char *name)
{
    const bt_value *value = bt_trace_borrow_environment_entry_value_by_name_const(trace, name);

    return value && bt_value_is_signed_integer(value) ? bt_value_integer_signed_get(value) : 0;
}

/* The host of this name.  What bears none is a host of its own: nothing says that two of them are the same. */
static struct ct_in_host *host_of(struct ct_in *in, const char *name)
{
    struct ct_in_host **slot, *host;

    for (size_t i = 0; *name && i < in->hosts.count; i++)
        if (strcmp(in->hosts.items[i]->name, name) == 0)
            return in->hosts.items[i];
    host = calloc(1, sizeof *host);
    slot = host ? ct_list_add(&in->hosts) : NULL;
    if (slot)
        host->name = strdup(name);
    if (!slot || !host->name) {
        in->hosts.count -= slot != NULL;
        free(host);
        return NULL;
    }
    *slot = host;
    return host;
}

/* All classes that the trace has now: schemas stand before the first event. */
static bool know_classes(struct ct_in *in, struct ct_in_trace *t)
{
    const bt_trace_class *class = bt_trace_borrow_class_const(t->trace);
    uint64_t streams = bt_trace_class_get_stream_class_count(class);

    for (uint64_t s = 0; s < streams; s++) {
        const bt_stream_class *stream = bt_trace_class_borrow_stream_class_by_index_const(class, s);
        uint64_t events = bt_stream_class_get_event_class_count(stream);

        for (uint64_t e = 0; e < events; e++) {
            const struct ct_in_class *event =
                ct_in_class(in, bt_stream_class_borrow_event_class_by_index_const(stream, e), t->kernel);

            if (!event)
                return false;
            t->own |= event->kind == CT_IN_DUMP;
            t->host->wakings |= event->kind == CT_IN_KERNEL && event->no == CT_IN_WAKING;
        }
    }
    return true;
}

/* HOT: at every event. */
struct ct_in_trace *ct_in_trace(struct ct_in *in, const bt_trace *trace)
{
    struct ct_in_trace *t, **slot;
    uint32_t place;

    if (in->trace && in->trace->trace == trace)
        return in->trace;
    place = ct_idmap_get(&in->trace_places, (uintptr_t)trace);
    if (place != CT_IDMAP_NONE)
        return in->trace = in->traces.items[place];
    t = calloc(1, sizeof *t);
    slot = t ? ct_list_add(&in->traces) : NULL;
    if (!slot || ct_idmap_add(&in->trace_places, (uintptr_t)trace, (uint32_t)in->traces.count - 1) < 0) {
        in->traces.count -= slot != NULL;
        free(t);
        return NULL;
    }
    *slot = t;
    bt_trace_get_ref(trace);            /* of a live session's that ended babeltrace2 keeps nothing, and we compare addresses */
    *t = (struct ct_in_trace){ .trace = trace, .host = host_of(in, ct_in_environment(trace, "hostname")),
                               .pid = ct_in_environment_number(trace, "vpid") };
    if (!t->host)
        return NULL;
    t->kernel = strcmp(ct_in_environment(trace, "domain"), "kernel") == 0 || ct_in_tells_switches(trace);
    t->host->kernel |= t->kernel;
    t->user = strcmp(ct_in_environment(trace, "domain"), "ust") == 0;
    return know_classes(in, t) ? t : NULL;
}

struct ct_in_task *ct_in_task(struct ct_in_host *host, int64_t tid)
{
    uint32_t place = ct_idmap_get(&host->task_places, (uint64_t)tid);
    struct ct_in_task *task;

    if (place != CT_IDMAP_NONE)
        return &host->tasks.items[place];
    task = ct_list_add(&host->tasks);
    if (!task)
        return NULL;
    *task = (struct ct_in_task){ .tid = tid, .pid = CT_IN_NOBODY };
    if (ct_idmap_add(&host->task_places, (uint64_t)tid, (uint32_t)host->tasks.count - 1) == 0)
        return task;
    host->tasks.count--;
    return NULL;
}

struct ct_in_cpu *ct_in_cpu(struct ct_in_host *host, int64_t cpu)
{
    if (cpu < 0 || cpu >= CT_IN_CPUS_MAX)
        cpu = CT_IN_CPUS_MAX - 1;
    while (host->cpus.count <= (size_t)cpu) {
        struct ct_in_cpu *next = ct_list_add(&host->cpus);

        if (!next)
            return NULL;
        *next = (struct ct_in_cpu){ .tid = CT_IN_NOBODY };
    }
    return &host->cpus.items[cpu];
}

void ct_in_task_is(struct ct_in_task *task, int64_t pid, const char *name, size_t size)
{
    if (task->pid == CT_IN_NOBODY && !task->program)
        task->pid = pid;
    if (!name || size == 0)
        return;
    size = strnlen(name, size < sizeof task->name ? size : sizeof task->name - 1);
    memcpy(task->name, name, size);
    task->name[size] = '\0';
}

uint64_t ct_in_user_serial(struct ct_in_program *p, int64_t tid, const char *name)
{
    struct ct_in_task *task;

    if (!p->trace->host->kernel || p->pid <= 0 || tid <= 0)
        return ct_in_serial(p, tid, 0, name, CT_IN_RUNS, -1);
    task = ct_in_task(p->trace->host, tid);
    if (!task)
        return 0;
    if (task->program && task->program != p)    /* another number space: what the kernel calls so is not this thread */
        return ct_in_serial(p, tid, 0, name, CT_IN_RUNS, -1);
    ct_in_task_is(task, p->pid, task->name[0] ? NULL : name, strlen(name));
    if (!task->program)
        task->program = p;
    if (task->serial == 0)
        task->serial = ct_in_serial(p, tid, task->life, name, CT_IN_UNTOLD, -1);
    return task->serial;
}

void ct_in_task_over(struct ct_in_task *task)
{
    free(task->arguments);
    *task = (struct ct_in_task){ .tid = task->tid, .pid = CT_IN_NOBODY, .life = task->life + 1 };
}

void ct_in_hosts_fini(struct ct_in *in)
{
    for (size_t i = 0; i < in->hosts.count; i++) {
        struct ct_in_host *host = in->hosts.items[i];

        for (size_t k = 0; k < host->tasks.count; k++)
            free(host->tasks.items[k].arguments);
        ct_idmap_fini(&host->task_places);
        ct_idmap_fini(&host->program_places);
        ct_list_fini(&host->tasks);
        ct_list_fini(&host->cpus);
        free(host->name);
        free(host);
    }
    ct_list_fini(&in->hosts);
    for (size_t i = 0; i < in->traces.count; i++) {
        bt_trace_put_ref(in->traces.items[i]->trace);
        free(in->traces.items[i]);
    }
    ct_list_fini(&in->traces);
    ct_idmap_fini(&in->trace_places);
}
