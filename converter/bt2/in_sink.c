/* Messages of all streams, in the order of time: whose they are, and what they say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

static struct ct_in_packet *place_of(struct ct_in *in, const bt_packet *packet)
{
    return &in->packets[ct_idmap_hash((uintptr_t)packet) % CT_IN_PACKETS];
}

/* Our packets say whose they are, those of LTTng where it was. */
static struct ct_in_packet look_into(const bt_packet *packet)
{
    const bt_field *context = bt_packet_borrow_context_field_const(packet);
    const bt_field *serial = context ? bt_field_structure_borrow_member_field_by_name_const(context, "serial") : NULL;
    const bt_field *cpu = context ? bt_field_structure_borrow_member_field_by_name_const(context, "cpu_id") : NULL;

    return (struct ct_in_packet){ packet, serial ? (uint64_t)ct_in_integer(serial) : 0, cpu ? ct_in_integer(cpu) : -1 };
}

/* Addresses of packets are used again: what is known of one begins with it. */
static void begin_packet(struct ct_in *in, const bt_packet *packet)
{
    *place_of(in, packet) = look_into(packet);
}

/* HOT: at every event. */
static uint64_t packet_serial(struct ct_in *in, const struct ct_in_program *p, const bt_event *event)
{
    const bt_packet *packet = p->own ? bt_event_borrow_packet_const(event) : NULL;
    const struct ct_in_packet *known = place_of(in, packet);

    if (!packet)
        return 0;
    return known->packet == packet ? known->serial : look_into(packet).serial;
}

int64_t ct_in_member(const bt_field *structure, int member, int64_t otherwise)
{
    return structure && member >= 0
               ? ct_in_integer(bt_field_structure_borrow_member_field_by_index_const(structure, (uint64_t)member)) : otherwise;
}

static const char *name_of(const bt_field *context, const struct ct_in_class *class)
{
    const bt_field *field = context && class->procname >= 0
        ? bt_field_structure_borrow_member_field_by_index_const(context, (uint64_t)class->procname) : NULL;

    return field && bt_field_get_class_type(field) == BT_FIELD_CLASS_TYPE_STRING ? bt_field_string_get_value(field) : "";
}

/* The payload as one text, for what has no number or too many fields. */
static struct ct_text described(const bt_field *payload, char room[CT_IN_LOG_BYTES])
{
    struct ct_buffer b = ct_buffer_over(room, CT_IN_LOG_BYTES);

    if (payload)
        ct_in_describe(&b, payload, 0);
    return (struct ct_text){ room, ct_buffer_used(&b) };
}

const struct ct_in_class *ct_in_known_as(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class,
                                         struct ct_in_class *room)
{
    if (class->kind != CT_IN_NAMED || class->no - CT_IN_FIRST < p->named)
        return class;
    if (!p->told && ct_in_schema(in, p) == 0)
        return class;
    *room = *class;
    room->kind = CT_IN_LOG;
    return room;
}

void ct_in_payload(struct ct_in *in, const struct ct_in_class *class, const bt_field *payload, struct ct_bt2_value *ret,
                   char room[CT_IN_LOG_BYTES])
{
    if (class->half)
        in->told = ct_in_tell_of(payload, in->told_room);
    if (class->kind == CT_IN_LOG)
        *ret = (struct ct_bt2_value){ .text = described(payload, room) };
    else
        ct_in_values(in, class, payload, ret);
}

/* The thread's number in its program: as its packet says, or its context; else each stream is one. */
static uint64_t serial_of(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const bt_event *event)
{
    const bt_field *context = bt_event_borrow_common_context_field_const(event);
    uint64_t serial = packet_serial(in, p, event);
    int64_t tid;

    if (serial)
        return serial;
    in->threadless |= class->vtid < 0 && p->trace->user;
    tid = ct_in_member(context, class->vtid, -1 - (int64_t)bt_stream_get_id(bt_event_borrow_stream_const(event)));
    return ct_in_user_serial(p, tid, name_of(context, class));
}

/* LTTng's own threads, which it calls so, are none of the program. */
static bool is_told_by_lttng(const struct ct_in_class *class, const bt_field *context)
{
    const char *name = class->of_loader ? name_of(context, class) : "";
    size_t size = strlen(name);

    return class->kind == CT_IN_STATEDUMP || (size > 4 && strcmp(name + size - 4, "-ust") == 0);
}

static int take_values(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const bt_event *event)
{
    const bt_field *context = bt_event_borrow_common_context_field_const(event);
    struct ct_bt2_value values[CT_DUMP_FIELDS_MAX];
    char room[CT_IN_LOG_BYTES];
    uint64_t serial;
    int r;

    ct_in_payload(in, class, bt_event_borrow_payload_field_const(event), values, room);
    if (class->kind == CT_IN_DUMP)
        return ct_in_dump(in, p, class, values);
    if (is_told_by_lttng(class, context))
        return ct_in_module(in, p, class, bt_event_borrow_payload_field_const(event));
    r = ct_in_room(in, p);
    if (r < 0)
        return r;
    serial = serial_of(in, p, class, event);
    if (serial == 0)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    in->ip = (uint64_t)ct_in_member(context, class->ip, 0);
    if (class->loading)
        r = ct_in_module(in, p, class, bt_event_borrow_payload_field_const(event));
    if (r < 0)
        return r;
    if (ct_in_thread_of(p, serial))
        ct_in_thread_of(p, serial)->seen = bt_event_borrow_stream_const(event);
    return ct_in_event(in, p, serial, ct_in_member(context, class->nested, 0), class, values);
}

/* Where it happened: LTTng has a stream for each CPU, and its packets say which. */
static int64_t cpu_of(struct ct_in *in, const bt_event *event)
{
    const bt_stream *stream = bt_event_borrow_stream_const(event);
    const bt_packet *packet = bt_stream_class_supports_packets(bt_stream_borrow_class_const(stream)) ? bt_event_borrow_packet_const(event) : NULL;
    const struct ct_in_packet *known = packet ? place_of(in, packet) : NULL;
    struct ct_in_packet looked;

    if (known && known->packet != packet) {
        looked = look_into(packet);
        known = &looked;
    }
    return known && known->cpu >= 0 ? known->cpu : (int64_t)bt_stream_get_id(stream);
}

static int take_event(struct ct_in *in, const bt_event *event)
{
    const struct ct_in_trace *trace = ct_in_trace(in, bt_stream_borrow_trace_const(bt_event_borrow_stream_const(event)));
    const struct ct_in_class *class = trace ? ct_in_class(in, bt_event_borrow_class_const(event), trace->kernel) : NULL;
    struct ct_in_program *p;
    struct ct_in_class log;

    int64_t cpu;

    if (!class)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    cpu = trace->kernel ? cpu_of(in, event) : -1;
    if ((in->pending || trace->kernel) && ct_in_after_loss(in, trace, bt_event_borrow_stream_const(event), cpu) < 0)
        return in->err->code;
    if (trace->kernel)
        return ct_in_kernel(in, trace, class, event, cpu);
    p = ct_in_program(in, trace, ct_in_member(bt_event_borrow_common_context_field_const(event), class->vpid, trace->pid));
    return p ? take_values(in, p, ct_in_known_as(in, p, class, &log), event) : -ENOMEM;
}

int ct_in_message_now(struct ct_in *in, const bt_message *message)
{
    bt_message_type type = bt_message_get_type(message);
    int r;

    if (type == BT_MESSAGE_TYPE_PACKET_BEGINNING)
        begin_packet(in, bt_message_packet_beginning_borrow_packet_const(message));
    if (type == BT_MESSAGE_TYPE_DISCARDED_EVENTS || type == BT_MESSAGE_TYPE_DISCARDED_PACKETS)
        return ct_in_lost(in, message);
    if (type != BT_MESSAGE_TYPE_EVENT)
        return 0;
    r = ct_in_set_time(in, bt_message_event_borrow_default_clock_snapshot_const(message));
    return r < 0 ? r : take_event(in, bt_message_event_borrow_event_const(message));
}

int ct_in_message(struct ct_in *in, const bt_message *message)
{
    int r = ct_in_hold(in, message);

    return r < 0 ? r : r > 0 ? 0 : ct_in_message_now(in, message);
}

void ct_in_thread_notes(const struct ct_in *in)
{
    static const char note[] = "rows are CPUs, not threads, where no context vtid is (lttng add-context -u -t vpid -t vtid -t procname)\n";

    if (in->threadless)
        strncat(in->options->notes, note, CT_CTF_NOTES - 1 - strlen(in->options->notes));
}

void ct_in_fini(struct ct_in *in)
{
    for (size_t i = 0; i < in->programs.count; i++) {
        struct ct_in_program *p = in->programs.items[i];

        ct_in_texts_fini(&p->texts);
        ct_in_texts_fini(&p->names);
        ct_idmap_fini(&p->stacks);
        ct_idmap_fini(&p->tids);
        ct_list_fini(&p->stack_list);
        ct_list_fini(&p->pcs);
        ct_list_fini(&p->modules);
        for (size_t k = 0; k < p->threads.count; k++)
            ct_list_fini(&p->threads.items[k].open);
        ct_list_fini(&p->threads);
        ct_idmap_fini(&p->mutex_places);
        ct_list_fini(&p->mutexes);
        ct_idmap_fini(&p->function_places);
        ct_list_fini(&p->functions);
        free(p);
    }
    ct_list_fini(&in->programs);
    for (size_t i = 0; i < in->held.count; i++)
        bt_message_put_ref(in->held.items[i]);
    ct_list_fini(&in->held);
    ct_list_fini(&in->losses);
    ct_in_hosts_fini(in);
    for (size_t i = 0; i < in->classes.count; i++)
        free(in->classes.items[i]);
    ct_list_fini(&in->classes);
    ct_idmap_fini(&in->class_places);
    ct_symbols_free(in->symbols);
    ct_build_fini(&in->build);
}
