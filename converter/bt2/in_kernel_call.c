/* What a thread does in the kernel, and the kernel on its own: system calls, interrupts, requests of disks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in_kernel.h"

static int no_memory(struct ct_in *in)
{
    return ct_error_at(in->err, -ENOMEM, 0, "no memory");
}

/* --- system calls --- */

int ct_in_begin_call(const struct ct_in_moment *m, struct ct_in_task *task, const struct ct_in_class *class, const bt_field *payload)
{
    char room[CT_IN_LOG_BYTES];
    struct ct_buffer b = ct_buffer_over(room, sizeof room);
    int r = ct_in_ready(m, task, CT_IN_RUNS);

    if (r < 0)
        return r;
    if (payload)
        ct_in_describe(&b, payload, 0);
    free(task->arguments);
    task->arguments = strndup(room, ct_buffer_used(&b));
    task->call = class;
    task->call_since = m->in->now;
    return task->arguments ? 0 : no_memory(m->in);
}

/* What an exit says besides its result. */
static struct ct_text returned(const struct ct_in_class *class, const bt_field *payload, char room[CT_IN_LOG_BYTES])
{
    struct ct_buffer b = ct_buffer_over(room, CT_IN_LOG_BYTES);
    const bt_field_class *of = payload ? bt_field_borrow_class_const(payload) : NULL;
    uint64_t count = of ? bt_field_class_structure_get_member_count(of) : 0;

    for (uint64_t i = 0; i < count; i++) {
        const char *name = bt_field_class_structure_member_get_name(bt_field_class_structure_borrow_member_by_index_const(of, i));

        if (class->count > 0 && (uint64_t)class->member[0] == i)
            continue;
        if (ct_buffer_used(&b) > 0)
            ct_buffer_bytes(&b, " ", 1);
        ct_buffer_bytes(&b, name, strlen(name));
        ct_buffer_bytes(&b, "=", 1);
        ct_in_describe(&b, bt_field_structure_borrow_member_field_by_index_const(payload, i), 1);
    }
    return (struct ct_text){ room, ct_buffer_used(&b) };
}

static int put_call(const struct ct_in_moment *m, struct ct_in_task *task, const struct ct_in_class *class, int64_t result,
                    struct ct_text returned)
{
    const char *arguments = task->arguments ? task->arguments : "";
    struct ct_bt2_value values[] = {
        { .number = m->in->now - task->call_since }, { .number = class->call }, { .text = { class->name, strlen(class->name) } },
        { .text = { arguments, strlen(arguments) } }, { .number = (uint64_t)result }, { .text = returned },
    };
    int r = ct_in_ready(m, task, CT_IN_RUNS);

    if (r == 0)
        r = ct_in_ours(m->in, task->program, task->serial, CT_EV_SYSCALL, values);
    free(task->arguments);
    task->arguments = NULL;
    task->call = NULL;
    return r;
}

int ct_in_end_call(const struct ct_in_moment *m, struct ct_in_task *task, const struct ct_in_class *class, const bt_field *payload)
{
    struct ct_bt2_value result[CT_DUMP_FIELDS_MAX] = { { 0 } };
    char room[CT_IN_LOG_BYTES];
    int r = ct_in_ready(m, task, CT_IN_RUNS);

    if (r < 0)
        return r;
    if (payload)
        ct_in_values(m->in, class, payload, result);
    if (!task->call)
        task->call_since = task->program->g_first;
    return put_call(m, task, class, (int64_t)result[0].number, returned(class, payload, room));
}

/* --- interrupts, disks --- */

static int enter_interrupt(const struct ct_in_moment *m, const char *name)
{
    struct ct_in_program *p;
    uint64_t serial;
    int r = ct_in_interrupts(m, &p, &serial);

    if (r < 0)
        return r;
    ct_in_cpu(m->host, m->cpu)->interrupts++;
    return ct_in_range_begin(m->in, p, serial, CT_IN_REGIONS, 0, (struct ct_text){ name, strlen(name) },
                             (struct ct_text){ 0 });
}

static int leave_interrupt(const struct ct_in_moment *m)
{
    struct ct_in_cpu *cpu;
    struct ct_in_program *p;
    uint64_t serial;
    int r = ct_in_interrupts(m, &p, &serial);

    if (r < 0)
        return r;
    cpu = ct_in_cpu(m->host, m->cpu);
    cpu->interrupts -= cpu->interrupts > 0;
    r = ct_in_range_end(m->in, p, serial, CT_IN_REGIONS, 0, (struct ct_text){ 0 });
    return r < 0 ? r : r > 0 ? 0 : ct_in_ours(m->in, p, serial, CT_EV_REGION_END, NULL);     /* it began before the trace */
}

int ct_in_interrupt(const struct ct_in_moment *m, unsigned no, const struct ct_bt2_value *v)
{
    static const char *const softirqs[] = { "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU" };
    char name[CT_IN_NAME_BYTES];

    if (no == CT_IN_IRQ_ENTRY)
        snprintf(name, sizeof name, "irq %lld %.*s", (long long)v[0].number, v[1].text.size < 40 ? (int)v[1].text.size : 40, v[1].text.at);
    else if (no == CT_IN_SOFTIRQ_ENTRY && v[0].number < sizeof softirqs / sizeof *softirqs)
        snprintf(name, sizeof name, "softirq %s", softirqs[v[0].number]);
    else if (no == CT_IN_SOFTIRQ_ENTRY)
        snprintf(name, sizeof name, "softirq %lld", (long long)v[0].number);
    else
        return leave_interrupt(m);
    return enter_interrupt(m, name);
}

int ct_in_request(const struct ct_in_moment *m, bool issue, const struct ct_bt2_value *v)
{
    uint64_t id = (v[0].number << 40 ^ v[1].number) + 1;
    struct ct_bt2_value values[4] = { { .number = id } };
    struct ct_in_program *p;
    uint64_t serial;
    char name[CT_IN_NAME_BYTES];
    int r = ct_in_interrupts(m, &p, &serial);

    if (r < 0 || !issue)
        return r < 0 ? r : ct_in_ours(m->in, p, serial, CT_EV_TASK_END, values);
    snprintf(name, sizeof name, "%s %llu:%llu sector %llu +%llu", v[3].number & 1 ? "write" : v[3].number & 4 ? "read" : "request",
             (unsigned long long)v[0].number >> 20, (unsigned long long)v[0].number & 0xfffff, (unsigned long long)v[1].number,
             (unsigned long long)v[2].number);
    values[2].text = (struct ct_text){ name, strlen(name) };
    return ct_in_ours(m->in, p, serial, CT_EV_TASK_BEGIN, values);
}

/* --- the end --- */

/* Calls that did not return within the trace. */
int ct_in_kernel_end(struct ct_in *in)
{
    int r = 0;

    for (size_t h = 0; r == 0 && h < in->hosts.count; h++)
        for (size_t i = 0; r == 0 && i < in->hosts.items[h]->tasks.count; i++) {
            const struct ct_in_moment m = { in, NULL, in->hosts.items[h], 0 };
            struct ct_in_task *task = &in->hosts.items[h]->tasks.items[i];

            if (task->call && task->program)
                r = put_call(&m, task, task->call, 0, (struct ct_text){ "(not within the trace)", 22 });
        }
    return r;
}
