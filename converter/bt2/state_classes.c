/* Classes of the events of LTTng's kernel tracer that tell of states, and a trace of them for each host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/source_impl.h"

enum { NS = 1000000000 };

/* "name:s tid:i32": what LTTng 2.13 gives its events. */
static bool add_members(bt_trace_class *trace, bt_field_class *structure, const char *members)
{
    bool ok = structure != NULL;
    char name[32], kind;
    int used;
    unsigned bits;

    for (; ok && sscanf(members, " %31[a-z_]:%c%n", name, &kind, &used) == 2; members += used) {
        bt_field_class *class = kind == 's' ? bt_field_class_string_create(trace)
                              : kind == 'i' ? bt_field_class_integer_signed_create(trace) : bt_field_class_integer_unsigned_create(trace);

        bits = 0;
        if (kind != 's' && sscanf(members + used, "%u", &bits) == 1)
            used += bits > 9 ? 2 : 1;
        if (class && bits)
            bt_field_class_integer_set_field_value_range(class, bits);
        ok = class && bt_field_class_structure_append_member(structure, name, class) == 0;
        bt_field_class_put_ref(class);
    }
    return ok;
}

static bt_event_class *event_class(struct ct_bt2_state_classes *c, const char *name, const char *members)
{
    bt_event_class *class = bt_event_class_create(c->stream);
    bt_field_class *payload = bt_field_class_structure_create(c->trace);
    bool ok = class && add_members(c->trace, payload, members) && bt_event_class_set_name(class, name) == 0 &&
              bt_event_class_set_payload_field_class(class, payload) == 0;

    bt_field_class_put_ref(payload);
    if (ok)
        return class;
    bt_event_class_put_ref(class);
    return NULL;
}

bt_event_class *ct_bt2_call_class(struct ct_bt2_state_classes *c, bool entry, unsigned no, const char *name, bool has_fd)
{
    char full[128];
    bt_event_class **slot;

    while (c->calls.count <= 2 * no + 1) {
        slot = ct_list_add(&c->calls);
        if (!slot)
            return NULL;
        *slot = NULL;
    }
    slot = &c->calls.items[2 * no + entry];
    if (*slot)
        return *slot;
    snprintf(full, sizeof full, "syscall_%s_%s", entry ? "entry" : "exit", name);
    *slot = event_class(c, full, !entry ? "ret:i64" : has_fd ? "fd:i32" : "");
    return *slot;
}

/* What Trace Compass looks for, to know that it can make its pictures of this trace; and what tells us that it is ours. */
static bool set_environment(bt_trace *trace, const char *host, const struct ct_run *run)
{
    static const struct { const char *name, *value; } texts[] = {
        { "domain", "kernel" }, { "sysname", "Linux" }, { "tracer_name", "lttng-modules" }, { "trace_buffering_scheme", "global" },
        { "kernel_version", "" }, { "product_uuid", "" },
    };
    static const struct { const char *name; int64_t value; } numbers[] = {
        { "tracer_major", 2 }, { "tracer_minor", 13 }, { "tracer_patchlevel", 0 }, { "architecture_bit_width", 64 }, { CT_BT2_STATES_MARK, 1 },
    };
    char release[128] = "";
    bool ok = bt_trace_set_environment_entry_string(trace, "hostname", host) == 0;

    for (size_t i = 0; i + 1 < sizeof release && i < run->system.size && run->system.at[i] >= ' ' && run->system.at[i] < 127; i++)
        release[i] = run->system.at[i];
    for (size_t i = 0; ok && i < sizeof texts / sizeof *texts; i++)
        ok = bt_trace_set_environment_entry_string(trace, texts[i].name, texts[i].value) == 0;
    for (size_t i = 0; ok && i < sizeof numbers / sizeof *numbers; i++)
        ok = bt_trace_set_environment_entry_integer(trace, numbers[i].name, numbers[i].value) == 0;
    return ok && bt_trace_set_environment_entry_string(trace, "kernel_release", release) == 0 &&
           bt_trace_set_environment_entry_string(trace, "trace_name", "states") == 0;
}

/* The trace's name is also that of its folder. */
static int add_host(struct ct_bt2_state_classes *c, const struct ct_read_program *program, unsigned *ret)
{
    struct ct_bt2_host *host, made = { 0 };
    char name[280];
    size_t size = program->run.host.size < sizeof made.name ? program->run.host.size : sizeof made.name - 1;

    for (size_t i = 0; i < size; i++)
        made.name[i] = strchr("/\\\"", program->run.host.at[i]) || (unsigned char)program->run.host.at[i] < ' ' ||
                       (unsigned char)program->run.host.at[i] > '~' ? '_' : program->run.host.at[i];
    for (*ret = 0; *ret < c->hosts.count; ++*ret)
        if (strcmp(c->hosts.items[*ret].name, made.name) == 0)
            return 0;
    snprintf(name, sizeof name, "states%s%s", *made.name ? "-" : "", made.name);
    made.trace = bt_trace_create(c->trace);
    host = made.trace ? ct_list_add(&c->hosts) : NULL;
    if (!host) {
        bt_trace_put_ref(made.trace);
        return -ENOMEM;
    }
    *host = made;
    return bt_trace_set_name(made.trace, name) == 0 && set_environment(made.trace, made.name, &program->run) ? 0 : -ENOMEM;
}

static bool add_stream_class(struct ct_bt2_state_classes *c)
{
    bt_field_class *packet = bt_field_class_structure_create(c->trace);
    bool ok = c->stream && bt_stream_class_set_name(c->stream, "channel0") == 0 &&
              bt_stream_class_set_default_clock_class(c->stream, c->clock) == 0 && add_members(c->trace, packet, "cpu_id:u32");

    if (ok)
        bt_stream_class_set_supports_packets(c->stream, BT_TRUE, BT_TRUE, BT_TRUE);
    ok = ok && bt_stream_class_set_packet_context_field_class(c->stream, packet) == 0;
    bt_field_class_put_ref(packet);
    return ok;
}

/* Whether all programs are of one machine, whose clock then has a name. */
static bool is_one_boot(const struct ct_reader *reader)
{
    for (unsigned i = 1; i < ct_reader_program_count(reader); i++)
        if (memcmp(ct_reader_program((struct ct_reader *)reader, i)->run.boot_id,
                   ct_reader_program((struct ct_reader *)reader, 0)->run.boot_id, CT_UUID_SIZE) != 0)
            return false;
    return ct_reader_program_count(reader) > 0;
}

static bool add_clock(struct ct_bt2_state_classes *c, bt_self_component *component, const struct ct_reader *reader)
{
    int64_t realtime_ns = ct_reader_realtime_ns(reader), seconds = realtime_ns / NS, rest = realtime_ns % NS;

    c->clock = bt_clock_class_create(component);
    if (!c->clock)
        return false;
    bt_clock_class_set_frequency(c->clock, NS);
    bt_clock_class_set_offset(c->clock, rest < 0 ? seconds - 1 : seconds, (uint64_t)(rest < 0 ? rest + NS : rest));
    if (is_one_boot(reader))
        ct_bt2_clock_of_boot(c->clock, ct_reader_program((struct ct_reader *)reader, 0)->run.boot_id);
    return bt_clock_class_set_name(c->clock, "monotonic") == 0;
}

int ct_bt2_state_classes_init(struct ct_bt2_state_classes *c, bt_self_component *component, const struct ct_reader *reader)
{
    unsigned count = ct_reader_program_count(reader);
    int r = 0;

    c->trace = bt_trace_class_create(component);
    c->host_of = calloc(count + 1, sizeof *c->host_of);
    c->stream = c->trace ? bt_stream_class_create(c->trace) : NULL;
    if (!c->host_of || !add_clock(c, component, reader) || !add_stream_class(c))
        return -ENOMEM;
    c->process = event_class(c, "lttng_statedump_process_state",
                             "tid:i32 pid:i32 ppid:i32 name:s type:i32 mode:i32 submode:i32 status:i32 cpu:u32");
    c->switches = event_class(c, "sched_switch", "prev_comm:s prev_tid:i32 prev_prio:i32 prev_state:i64 next_comm:s next_tid:i32 next_prio:i32");
    c->wakeup = event_class(c, "sched_wakeup", "comm:s tid:i32 prio:i32 target_cpu:i32");
    c->exit = event_class(c, "sched_process_exit", "comm:s tid:i32 prio:i32");
    if (!c->process || !c->switches || !c->wakeup || !c->exit)
        return -ENOMEM;
    for (unsigned i = 0; r == 0 && i < count; i++)
        r = add_host(c, ct_reader_program((struct ct_reader *)reader, i), &c->host_of[i]);
    return r;
}

bt_stream *ct_bt2_cpu_stream(struct ct_bt2_state_classes *c, unsigned program, unsigned cpu)
{
    struct ct_bt2_host *host = &c->hosts.items[c->host_of[program]];
    bt_stream **slot;
    char name[32];

    while (host->streams.count <= cpu) {
        slot = ct_list_add(&host->streams);
        if (!slot)
            return NULL;
        *slot = NULL;
    }
    slot = &host->streams.items[cpu];
    if (*slot)
        return *slot;
    snprintf(name, sizeof name, "channel0_%u", cpu);
    *slot = bt_stream_create(c->stream, host->trace);
    return *slot && bt_stream_set_name(*slot, name) == 0 ? *slot : NULL;
}

void ct_bt2_state_classes_fini(struct ct_bt2_state_classes *c)
{
    for (size_t i = 0; i < c->calls.count; i++)
        bt_event_class_put_ref(c->calls.items[i]);
    ct_list_fini(&c->calls);
    for (size_t i = 0; i < c->hosts.count; i++) {
        for (size_t k = 0; k < c->hosts.items[i].streams.count; k++)
            bt_stream_put_ref(c->hosts.items[i].streams.items[k]);
        ct_list_fini(&c->hosts.items[i].streams);
        bt_trace_put_ref(c->hosts.items[i].trace);
    }
    ct_list_fini(&c->hosts);
    bt_event_class_put_ref(c->process);
    bt_event_class_put_ref(c->switches);
    bt_event_class_put_ref(c->wakeup);
    bt_event_class_put_ref(c->exit);
    bt_stream_class_put_ref(c->stream);
    bt_clock_class_put_ref(c->clock);
    bt_trace_class_put_ref(c->trace);
    free(c->host_of);
}
