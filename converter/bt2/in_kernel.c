/* What the kernel tells, in the order of time: who runs where, who waits in what, who wakes whom. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "converter/bt2/in_kernel.h"

enum {
    NO_THREAD = 1 << 16,                /* see SCHED_OUT */
    INTERRUPTS_TID = -1000,             /* of the row of CPU 0, downwards: no thread has such a number */
    STATES = 0xff, ENDS = 0x30, MAY_END = 0xc0, UNINTERRUPTIBLE = 2,
    KTHREADD = 2, KERNEL_THREAD = 1,
};

static int no_memory(struct ct_in *in)
{
    return ct_error_at(in->err, -ENOMEM, 0, "no memory");
}

/* --- writing --- */

int ct_in_ready(const struct ct_in_moment *m, struct ct_in_task *task, enum ct_in_doing doing)
{
    int r;

    if (!task->program)
        task->program = ct_in_program(m->in, m->trace, task->pid);
    r = task->program ? ct_in_room(m->in, task->program) : -ENOMEM;
    if (r == 0 && task->serial == 0) {
        task->serial = ct_in_serial(task->program, task->tid, task->life, task->name, doing,
                                    doing == CT_IN_RUNS ? m->cpu : -1);
        r = task->serial ? 0 : no_memory(m->in);
    }
    return r;
}

static struct ct_in_thread *row_of(const struct ct_in_task *task)
{
    return &task->program->threads.items[task->serial - 1];
}

static void does(const struct ct_in_moment *m, const struct ct_in_task *task, enum ct_in_doing doing)
{
    struct ct_in_thread *row = row_of(task);

    row->doing = doing;
    row->since = m->in->now;
    row->cpu = (unsigned)m->cpu + 1;
    row->call = task->call ? task->call->call : 0;
}

static int tell(const struct ct_in_moment *m, const struct ct_in_task *task, unsigned no, uint64_t first, uint64_t second)
{
    const struct ct_bt2_value values[] = { { .number = first }, { .number = second } };

    return ct_in_ours(m->in, task->program, task->serial, no, values);
}

int ct_in_interrupts(const struct ct_in_moment *m, struct ct_in_program **ret, uint64_t *ret_serial)
{
    static const struct ct_bt2_value no_thread[] = { { .number = NO_THREAD }, { 0 } };
    struct ct_in_cpu *cpu = ct_in_cpu(m->host, m->cpu);
    struct ct_in_program *p = ct_in_program(m->in, m->trace, CT_IN_THE_KERNEL);
    char name[40];
    int r = cpu && p ? ct_in_room(m->in, p) : -ENOMEM;

    if (r == 0 && cpu->serial == 0) {
        snprintf(name, sizeof name, "interrupts %d", (int)m->cpu);
        cpu->serial = ct_in_serial(p, INTERRUPTS_TID - m->cpu, 0, name, CT_IN_UNTOLD, -1);
        r = cpu->serial ? ct_in_ours(m->in, p, cpu->serial, CT_EV_SCHED_OUT, no_thread) : no_memory(m->in);
    }
    if (r == 0) {
        *ret = p;
        *ret_serial = cpu->serial;
    }
    return r;
}

/* --- who runs --- */

static bool is_end(const struct ct_in_task *task, uint64_t state)
{
    return (state & ENDS) != 0 || (task->exiting && (state & MAY_END) != 0);
}

static int leave(const struct ct_in_moment *m, struct ct_in_task *task, uint64_t state)
{
    uint64_t call = task->call ? task->call->call : 0;
    int r = ct_in_ready(m, task, CT_IN_RUNS);

    if (r < 0)
        return r;
    if (is_end(task, state)) {
        does(m, task, CT_IN_EXITED);
        r = tell(m, task, CT_EV_THREAD_EXIT, 0, 0);
        ct_in_task_over(task);
        return r;
    }
    does(m, task, (state & STATES) ? CT_IN_WAITS : CT_IN_UNTOLD);
    return tell(m, task, CT_EV_SCHED_OUT, state & STATES, (state & STATES) ? call : 0);
}

/* It has another name since it ran last: prctl or exec. */
static int rename_task(const struct ct_in_moment *m, struct ct_in_task *task, struct ct_text name)
{
    char before[CT_NAME_MAX];
    struct ct_bt2_value values[2] = { 0 };

    memcpy(before, task->name, sizeof before);
    ct_in_task_is(task, CT_IN_NOBODY, name.at, name.size);
    if (task->serial == 0 || strcmp(before, task->name) == 0)
        return 0;
    memcpy(row_of(task)->name, task->name, sizeof task->name);
    values[1].text = (struct ct_text){ task->name, strlen(task->name) };
    return ct_in_ours(m->in, task->program, task->serial, CT_EV_THREAD_NAME, values);
}

static int enter(const struct ct_in_moment *m, struct ct_in_task *task, struct ct_text name)
{
    int r;

    if (task->serial == 0)
        ct_in_task_is(task, CT_IN_NOBODY, name.at, name.size);
    r = ct_in_ready(m, task, CT_IN_UNTOLD);
    if (r == 0)
        r = rename_task(m, task, name);
    if (r == 0)
        does(m, task, CT_IN_RUNS);
    return r < 0 ? r : tell(m, task, CT_EV_SCHED_IN, (uint64_t)m->cpu, 0);
}

static int take_switch(const struct ct_in_moment *m, const struct ct_bt2_value *v)
{
    struct ct_in_cpu *cpu = ct_in_cpu(m->host, m->cpu);
    int64_t from = (int64_t)v[0].number, to = (int64_t)v[2].number;
    struct ct_in_task *task = from > 0 ? ct_in_task(m->host, from) : NULL;
    int r = 0;

    if (!cpu || (from > 0 && !task))
        return no_memory(m->in);
    cpu->tid = to;
    if (task && task->serial == 0)
        ct_in_task_is(task, CT_IN_NOBODY, v[3].text.at, v[3].text.size);
    if (task)
        r = leave(m, task, v[1].number);
    task = to > 0 && r == 0 ? ct_in_task(m->host, to) : NULL;
    return task ? enter(m, task, v[4].text) : r < 0 || to <= 0 ? r : no_memory(m->in);
}

/* --- wakes --- */

static int tell_waker(const struct ct_in_moment *m, int64_t tid)
{
    const struct ct_in_cpu *cpu = ct_in_cpu(m->host, m->cpu);
    const struct ct_bt2_value value = { .number = (uint64_t)tid };
    struct ct_in_task *waker = cpu && cpu->tid > 0 ? ct_in_task(m->host, cpu->tid) : NULL;
    struct ct_in_program *p;
    uint64_t serial;
    int r;

    if (!cpu || (cpu->interrupts == 0 && !waker))
        return 0;                       /* a CPU that was idle, and nobody tells of interrupts */
    if (cpu->interrupts == 0) {
        r = ct_in_ready(m, waker, CT_IN_RUNS);
        return r < 0 ? r : tell(m, waker, CT_EV_SCHED_WAKING, (uint64_t)tid, 0);
    }
    r = ct_in_interrupts(m, &p, &serial);
    return r < 0 ? r : ct_in_ours(m->in, p, serial, CT_EV_SCHED_WAKING, &value);
}

static int take_wake(const struct ct_in_moment *m, const struct ct_bt2_value *v, bool tells_waker)
{
    struct ct_in_task *task = ct_in_task(m->host, (int64_t)v[0].number);
    int r;

    if (!task)
        return no_memory(m->in);
    if (task->serial == 0)
        ct_in_task_is(task, CT_IN_NOBODY, v[1].text.at, v[1].text.size);
    r = tells_waker ? tell_waker(m, task->tid) : 0;
    task = ct_in_task(m->host, (int64_t)v[0].number);   /* the list may have moved */
    if (r == 0)
        r = ct_in_ready(m, task, CT_IN_UNTOLD);
    if (r < 0 || row_of(task)->doing == CT_IN_RUNS)
        return r;
    does(m, task, CT_IN_UNTOLD);
    return tell(m, task, CT_EV_SCHED_WOKEN, (uint64_t)m->cpu, 0);
}

/* --- lives --- */

static int take_fork(const struct ct_in_moment *m, const struct ct_bt2_value *v)
{
    struct ct_in_task *child = ct_in_task(m->host, (int64_t)v[1].number);
    bool of_kernel = v[0].number == KTHREADD;

    if (!child)
        return no_memory(m->in);
    if (child->program)                 /* the number is used again, and its end was not told */
        ct_in_task_over(child);
    ct_in_task_is(child, of_kernel ? CT_IN_THE_KERNEL : (int64_t)v[2].number, v[3].text.at, v[3].text.size);
    return 0;
}

static int take_exec(const struct ct_in_moment *m, const struct ct_bt2_value *v)
{
    struct ct_in_task *task = ct_in_task(m->host, (int64_t)v[1].number);
    const struct ct_bt2_value values[2] = { { .text = v[0].text } };
    int r = task ? ct_in_ready(m, task, CT_IN_RUNS) : no_memory(m->in);

    return r < 0 ? r : ct_in_ours(m->in, task->program, task->serial, CT_EV_EXEC, values);
}

static void take_process(struct ct_in_host *host, const struct ct_bt2_value *v)
{
    struct ct_in_task *task = ct_in_task(host, (int64_t)v[0].number);

    if (!task)
        return;
    if (!task->program)
        task->pid = CT_IN_NOBODY;       /* it knows better than what was learned from contexts: threads of the kernel */
    ct_in_task_is(task, v[2].number == KERNEL_THREAD ? CT_IN_THE_KERNEL : (int64_t)v[1].number, v[3].text.at, v[3].text.size);
}

/* --- one event --- */

/* The thread that runs there, or NULL: nobody, or it is not known. */
static struct ct_in_task *current(const struct ct_in_moment *m, const struct ct_in_class *class, const bt_event *event)
{
    const struct ct_in_cpu *cpu = ct_in_cpu(m->host, m->cpu);
    int64_t tid = cpu && cpu->tid != CT_IN_NOBODY ? cpu->tid
                : ct_in_member(bt_event_borrow_common_context_field_const(event), class->tid, 0);

    return tid > 0 ? ct_in_task(m->host, tid) : NULL;
}

void ct_in_kernel_learn(struct ct_in *in, const struct ct_in_trace *trace, const struct ct_in_class *class, const bt_event *event)
{
    const bt_field *context = bt_event_borrow_common_context_field_const(event);
    struct ct_bt2_value v[CT_DUMP_FIELDS_MAX];
    int64_t tid = ct_in_member(context, class->tid, 0), pid = ct_in_member(context, class->pid, 0);
    struct ct_in_task *task = tid > 0 && pid > 0 ? ct_in_task(trace->host, tid) : NULL;

    if (task && task->pid == CT_IN_NOBODY)
        ct_in_task_is(task, pid, NULL, 0);
    if (class->kind != CT_IN_KERNEL || class->no != CT_IN_PROCESS)
        return;
    ct_in_values(in, class, bt_event_borrow_payload_field_const(event), v);
    take_process(trace->host, v);
}

/* What has no meaning of its own is a moment of whom it happened to. */
static int take_moment(const struct ct_in_moment *m, const struct ct_in_class *class, const bt_event *event)
{
    struct ct_in_task *task = current(m, class, event);
    struct ct_bt2_value values[CT_DUMP_FIELDS_MAX];
    char room[CT_IN_LOG_BYTES];
    struct ct_in_class log;
    struct ct_in_program *p;
    uint64_t serial;
    int r;

    if (task && ct_in_cpu(m->host, m->cpu)->interrupts == 0) {
        r = ct_in_ready(m, task, CT_IN_RUNS);
        p = task->program;
        serial = task->serial;
    } else {
        r = ct_in_interrupts(m, &p, &serial);
    }
    if (r < 0)
        return r;
    class = ct_in_known_as(m->in, p, class, &log);
    ct_in_payload(m->in, class, bt_event_borrow_payload_field_const(event), values, room);
    return ct_in_event(m->in, p, serial, false, class, values);
}

static int take_of_thread(const struct ct_in_moment *m, const struct ct_in_class *class, const bt_event *event)
{
    const bt_field *payload = bt_event_borrow_payload_field_const(event);
    struct ct_in_task *task = current(m, class, event);

    if (!task)
        return 0;                       /* a call of a thread that nobody named yet */
    return class->no == CT_IN_CALL_ENTRY ? ct_in_begin_call(m, task, class, payload) : ct_in_end_call(m, task, class, payload);
}

static int take(const struct ct_in_moment *m, const struct ct_in_class *class, const struct ct_bt2_value *v)
{
    struct ct_in_task *task;

    switch (class->no) {
    case CT_IN_SWITCH:
        return take_switch(m, v);
    case CT_IN_WAKING:
        return take_wake(m, v, true);
    case CT_IN_WAKEUP:
        return take_wake(m, v, !m->host->wakings);
    case CT_IN_FORK:
        return take_fork(m, v);
    case CT_IN_EXIT:
        task = ct_in_task(m->host, (int64_t)v[0].number);
        if (task)
            task->exiting = true;
        return 0;
    case CT_IN_EXEC:
        return take_exec(m, v);
    case CT_IN_PROCESS:
        take_process(m->host, v);
        return 0;
    case CT_IN_ISSUE:
    case CT_IN_COMPLETE:
        return ct_in_request(m, class->no == CT_IN_ISSUE, v);
    default:
        return ct_in_interrupt(m, class->no, v);
    }
}

int ct_in_kernel(struct ct_in *in, const struct ct_in_trace *trace, const struct ct_in_class *class, const bt_event *event,
                 int64_t cpu)
{
    const struct ct_in_moment m = { in, trace, trace->host, cpu };
    struct ct_bt2_value values[CT_DUMP_FIELDS_MAX];

    ct_in_kernel_learn(in, trace, class, event);
    if (class->kind != CT_IN_KERNEL)
        return take_moment(&m, class, event);
    if (class->no == CT_IN_CALL_ENTRY || class->no == CT_IN_CALL_EXIT)
        return take_of_thread(&m, class, event);
    ct_in_values(in, class, bt_event_borrow_payload_field_const(event), values);
    return take(&m, class, values);
}
