/* Trace, stream and event classes, made from what the reader says of a program. */
#include "converter/bt2/metadata.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "converter/profile/utf8.h"

enum { NS = 1000000000 };

/* Adds a member to a structure and gives the reference up.  False without memory. */
static bool add_member(bt_field_class *structure, const char *name, bt_field_class *member)
{
    bool ok = member && bt_field_class_structure_append_member(structure, name, member) == 0;

    bt_field_class_put_ref(member);
    return ok;
}

static bt_field_class *bits_class(bt_trace_class *trace, bool is_signed, uint64_t bits)
{
    bt_field_class *class = is_signed ? bt_field_class_integer_signed_create(trace)
                                      : bt_field_class_integer_unsigned_create(trace);

    if (class)
        bt_field_class_integer_set_field_value_range(class, bits);
    return class;
}

/* vpid and vtid are what LTTng's users add as contexts, under these names. */
static bool set_contexts(struct ct_bt2_program *p)
{
    bt_field_class *event = bt_field_class_structure_create(p->trace_class);
    bt_field_class *packet = bt_field_class_structure_create(p->trace_class);
    bool ok = event && packet && add_member(event, "vpid", bits_class(p->trace_class, true, 32)) &&
              add_member(event, "vtid", bits_class(p->trace_class, true, 32)) &&
              add_member(event, "nested", bits_class(p->trace_class, false, 8)) &&
              bt_stream_class_set_event_common_context_field_class(p->thread_class, event) == 0 &&
              add_member(packet, "serial", bits_class(p->trace_class, false, 64)) &&
              bt_stream_class_set_packet_context_field_class(p->thread_class, packet) == 0;

    bt_field_class_put_ref(event);
    bt_field_class_put_ref(packet);
    return ok;
}

static bt_stream_class *stream_class(struct ct_bt2_program *p, const char *name)
{
    bt_stream_class *class = bt_stream_class_create(p->trace_class);

    if (!class)
        return NULL;
    if (bt_stream_class_set_name(class, name) != 0 ||
        bt_stream_class_set_default_clock_class(class, p->clock_class) != 0) {
        bt_stream_class_put_ref(class);
        return NULL;
    }
    bt_stream_class_set_supports_packets(class, BT_TRUE, BT_TRUE, BT_TRUE);
    bt_stream_class_set_supports_discarded_events(class, BT_TRUE, BT_TRUE);
    return class;
}

void ct_bt2_clock_of_boot(bt_clock_class *clock, const uint8_t boot_id[CT_UUID_SIZE])
{
    static const uint8_t none[CT_UUID_SIZE];

    if (memcmp(boot_id, none, sizeof none) != 0)
        bt_clock_class_set_uuid(clock, boot_id);
}

/* Time 0 of the reader is its first moment; readers of CTF show the wall clock. */
static bool set_clock(struct ct_bt2_program *p, bt_self_component *component, int64_t realtime_ns, const struct ct_run *run)
{
    int64_t seconds = realtime_ns / NS, rest = realtime_ns % NS;

    if (rest < 0) {
        seconds--;
        rest += NS;
    }
    p->clock_class = bt_clock_class_create(component);
    if (!p->clock_class)
        return false;
    bt_clock_class_set_frequency(p->clock_class, NS);
    bt_clock_class_set_offset(p->clock_class, seconds, (uint64_t)rest);
    ct_bt2_clock_of_boot(p->clock_class, run->boot_id);
    return bt_clock_class_set_name(p->clock_class, "monotonic") == 0;
}

static bool set_string(bt_trace *trace, const char *name, struct ct_text value)
{
    char text[1024];
    size_t size = value.size < sizeof text / 3 - 1 ? value.size : sizeof text / 3 - 1;

    size = ct_utf8_mend(value.at, size, text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';              /* also what parts arguments */
    text[size] = '\0';
    return bt_trace_set_environment_entry_string(trace, name, text) == 0;
}

static struct ct_text text_of(const char *s)
{
    return (struct ct_text){ s, strlen(s) };
}

static bool set_environment(bt_trace *trace, const struct ct_run *run)
{
    char uuid[2 * CT_UUID_SIZE + 1];

    for (int i = 0; i < CT_UUID_SIZE; i++)
        snprintf(uuid + 2 * i, 3, "%02x", run->run_id[i]);
    return set_string(trace, "domain", text_of("ust")) && set_string(trace, "tracer_name", text_of("ctrace")) &&
           set_string(trace, "tracer_version", run->version) && set_string(trace, "hostname", run->host) &&
           set_string(trace, "procname", ct_run_name(run)) && set_string(trace, "arguments", run->arguments) &&
           set_string(trace, "sysname", text_of("Linux")) && set_string(trace, "system", run->system) &&
           set_string(trace, "run", text_of(uuid)) &&
           bt_trace_set_environment_entry_integer(trace, "vpid", (int64_t)run->pid) == 0;
}

/* redis-server-4711: also the folder that CTF of it is written to. */
static bool set_name(bt_trace *trace, const struct ct_read_program *program)
{
    struct ct_text name = ct_run_name(&program->run);
    char text[128];
    int used = snprintf(text, sizeof text, "%.*s-%" PRIu64, name.size < 64 ? (int)name.size : 64, name.size ? name.at : "",
                        program->run.pid);

    for (int i = 0; i < used; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.+", text[i]))
            text[i] = '_';
    if (text[0] == '.' || text[0] == '-')
        text[0] = '_';
    return bt_trace_set_name(trace, text) == 0;
}

int ct_bt2_program_init(struct ct_bt2_program *p, bt_self_component *component, const struct ct_reader *reader,
                        const struct ct_read_program *program)
{
    *p = (struct ct_bt2_program){ .trace_class = bt_trace_class_create(component) };
    if (!p->trace_class || !set_clock(p, component, ct_reader_realtime_ns(reader), &program->run))
        return -ENOMEM;
    p->thread_class = stream_class(p, "thread");
    p->dump_class = stream_class(p, "statedump");
    p->trace = p->thread_class && p->dump_class && set_contexts(p) ? bt_trace_create(p->trace_class) : NULL;
    if (!p->trace || !set_name(p->trace, program) || !set_environment(p->trace, &program->run))
        return -ENOMEM;
    p->dump_stream = bt_stream_create(p->dump_class, p->trace);
    if (!p->dump_stream || bt_stream_set_name(p->dump_stream, "statedump") != 0)
        return -ENOMEM;
    for (unsigned i = 0; i < CT_DUMP_END; i++)
        if (!ct_bt2_dump_class(p, i))
            return -ENOMEM;
    return 0;
}

static void class_fini(struct ct_bt2_event_class *class)
{
    bt_event_class_put_ref(class->class);
}

void ct_bt2_program_fini(struct ct_bt2_program *p)
{
    for (unsigned i = 0; i <= UINT8_MAX; i++)
        class_fini(&p->events[i]);
    for (unsigned i = 0; i < CT_DUMP_END; i++)
        class_fini(&p->dumps[i]);
    bt_stream_put_ref(p->dump_stream);
    bt_trace_put_ref(p->trace);
    bt_stream_class_put_ref(p->thread_class);
    bt_stream_class_put_ref(p->dump_class);
    bt_clock_class_put_ref(p->clock_class);
    bt_trace_class_put_ref(p->trace_class);
}

bt_stream *ct_bt2_thread_stream(struct ct_bt2_program *p, const struct ct_read_thread *thread)
{
    bt_stream *stream = bt_stream_create(p->thread_class, p->trace);
    char name[64];

    if (!stream)
        return NULL;
    snprintf(name, sizeof name, "thread-%" PRIu64 "-%" PRIu64, thread->serial, thread->tid);
    if (bt_stream_set_name(stream, name) != 0) {
        bt_stream_put_ref(stream);
        return NULL;
    }
    return stream;
}
