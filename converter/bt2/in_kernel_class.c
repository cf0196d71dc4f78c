/* Event classes of LTTng's kernel tracer that mean more than a moment. */
#include <string.h>

#include "converter/bt2/in.h"

enum { FIELDS_MAX = 6 };

/* Fields are taken by name, so that versions that tell more are understood too. */
static const struct {
    const char *name;
    enum ct_in_kernel_event no;
    struct ct_field_info field[FIELDS_MAX];
} events[] = {
    { "sched_switch", CT_IN_SWITCH, { { CT_TYPE_INT, "prev_tid" }, { CT_TYPE_INT, "prev_state" }, { CT_TYPE_INT, "next_tid" },
                                      { CT_TYPE_STRING, "prev_comm" }, { CT_TYPE_STRING, "next_comm" } } },
    { "sched_waking", CT_IN_WAKING, { { CT_TYPE_INT, "tid" }, { CT_TYPE_STRING, "comm" } } },
    { "sched_wakeup", CT_IN_WAKEUP, { { CT_TYPE_INT, "tid" }, { CT_TYPE_STRING, "comm" } } },
    { "sched_wakeup_new", CT_IN_WAKEUP, { { CT_TYPE_INT, "tid" }, { CT_TYPE_STRING, "comm" } } },
    { "sched_process_fork", CT_IN_FORK, { { CT_TYPE_INT, "parent_tid" }, { CT_TYPE_INT, "child_tid" },
                                          { CT_TYPE_INT, "child_pid" }, { CT_TYPE_STRING, "child_comm" } } },
    { "sched_process_exit", CT_IN_EXIT, { { CT_TYPE_INT, "tid" } } },
    { "sched_process_exec", CT_IN_EXEC, { { CT_TYPE_STRING, "filename" }, { CT_TYPE_INT, "tid" } } },
    { "lttng_statedump_process_state", CT_IN_PROCESS, { { CT_TYPE_INT, "tid" }, { CT_TYPE_INT, "pid" },
                                                        { CT_TYPE_INT, "type" }, { CT_TYPE_STRING, "name" } } },
    { "irq_handler_entry", CT_IN_IRQ_ENTRY, { { CT_TYPE_INT, "irq" }, { CT_TYPE_STRING, "name" } } },
    { "irq_handler_exit", CT_IN_IRQ_EXIT, { { CT_TYPE_INT, "irq" } } },
    { "softirq_entry", CT_IN_SOFTIRQ_ENTRY, { { CT_TYPE_INT, "vec" } } },
    { "irq_softirq_entry", CT_IN_SOFTIRQ_ENTRY, { { CT_TYPE_INT, "vec" } } },
    { "softirq_exit", CT_IN_SOFTIRQ_EXIT, { { CT_TYPE_INT, "vec" } } },
    { "irq_softirq_exit", CT_IN_SOFTIRQ_EXIT, { { CT_TYPE_INT, "vec" } } },
    { "block_rq_issue", CT_IN_ISSUE, { { CT_TYPE_UINT, "dev" }, { CT_TYPE_UINT, "sector" }, { CT_TYPE_UINT, "nr_sector" },
                                       { CT_TYPE_UINT, "rwbs" } } },
    { "block_rq_complete", CT_IN_COMPLETE, { { CT_TYPE_UINT, "dev" }, { CT_TYPE_UINT, "sector" } } },
};

/* read64 and accept4 wait as read and accept do; epoll_pwait2 as epoll_pwait. */
static unsigned call_no(const char *name)
{
    static const struct { const char *name, *as; } others[] = {
        { "pselect6", "pselect" }, { "newfstatat", "fstatat" }, { "rt_sigtimedwait", "sigtimedwait" },
        { "rt_sigsuspend", "sigsuspend" }, { "semtimedop", "semop" }, { "_newselect", "select" },
    };
    size_t size = strlen(name);
    unsigned no = ct_schema_call_by_name(name, (unsigned)size);

    for (size_t i = 0; no == 0 && i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i].name) == 0)
            no = ct_schema_call_by_name(others[i].as, (unsigned)strlen(others[i].as));
    if (no == 0 && size > 7 && strcmp(name + size - 7, "_time64") == 0)
        no = ct_schema_call_by_name(name, (unsigned)size - 7);
    while (no == 0 && size > 1 && name[size - 1] >= '0' && name[size - 1] <= '9')
        no = ct_schema_call_by_name(name, (unsigned)--size);
    return no;
}

/* "syscall_entry_read", "compat_syscall_exit_read"; what babeltrace2 has no name for is "syscall_entry_unknown". */
static bool is_call(struct ct_in_class *class, const char *name, const bt_field_class *payload)
{
    static const struct ct_field_info result[] = { { CT_TYPE_INT, "ret" }, { 0 } };
    const char *rest = strncmp(name, "compat_", 7) == 0 ? name + 7 : name;

    class->count = 0;
    if (strncmp(rest, "syscall_entry_", 14) == 0) {
        class->no = CT_IN_CALL_ENTRY;
        rest += 14;
    } else if (strncmp(rest, "syscall_exit_", 13) == 0) {
        class->no = CT_IN_CALL_EXIT;
        rest += 13;
        (void)ct_in_find_members(class, payload, result);   /* of exit there is none */
    } else {
        return false;
    }
    strncpy(class->name, rest, sizeof class->name - 1);
    class->name[sizeof class->name - 1] = '\0';
    class->call = call_no(rest);
    return true;
}

bool ct_in_kernel_class(struct ct_in_class *class, const char *name, const bt_field_class *payload)
{
    struct ct_field_info fields[FIELDS_MAX + 1] = { { 0 } };
    bool is = is_call(class, name, payload);

    for (size_t i = 0; !is && i < sizeof events / sizeof *events; i++) {
        if (strcmp(name, events[i].name) != 0)
            continue;
        memcpy(fields, events[i].field, sizeof events[i].field);
        class->no = events[i].no;
        is = ct_in_find_members(class, payload, fields);
    }
    if (is)
        class->kind = CT_IN_KERNEL;
    return is;
}

bool ct_in_tells_switches(const bt_trace *trace)
{
    const bt_trace_class *class = bt_trace_borrow_class_const(trace);

    for (uint64_t s = 0; s < bt_trace_class_get_stream_class_count(class); s++) {
        const bt_stream_class *stream = bt_trace_class_borrow_stream_class_by_index_const(class, s);
        bool switches = false, ours = false;

        for (uint64_t e = 0; e < bt_stream_class_get_event_class_count(stream); e++) {
            const char *name = bt_event_class_get_name(bt_stream_class_borrow_event_class_by_index_const(stream, e));

            switches |= name && strcmp(name, "sched_switch") == 0;
            ours |= name && strncmp(name, "ctrace", 6) == 0;
        }
        if (switches && !ours)
            return true;
    }
    return false;
}
