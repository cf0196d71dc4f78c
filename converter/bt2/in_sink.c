/* Messages of all streams, in the order of time: whose they are, and what they say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "converter/bt2/in.h"

enum { SECOND = 1000000000, GENERATION_EVENTS = 4 << 20 };

static int set_time(struct ct_in *in, const bt_clock_snapshot *clock)
{
    uint64_t value = bt_clock_snapshot_get_value(clock);
    uint64_t frequency = bt_clock_class_get_frequency(bt_clock_snapshot_borrow_clock_class_const(clock));
    int64_t ns;

    if (bt_clock_snapshot_get_ns_from_origin(clock, &ns) != 0 || ns < 0)
        return ct_error_at(in->err, -ERANGE, 0, "an event has a time before 1970 or after 2262");
    if ((uint64_t)ns > in->now)
        in->now = (uint64_t)ns;
    in->base = frequency == SECOND ? ns - (int64_t)value : ns;
    return 0;
}

static struct ct_in_packet *place_of(struct ct_in *in, const bt_packet *packet)
{
    return &in->packets[ct_idmap_hash((uintptr_t)packet) % CT_IN_PACKETS];
}

/* Our packets say whose they are; 0: not one of ours. */
static uint64_t look_into(const bt_packet *packet)
{
    const bt_field *context = bt_packet_borrow_context_field_const(packet);
    const bt_field *serial = context ? bt_field_structure_borrow_member_field_by_name_const(context, "serial") : NULL;

    return serial ? (uint64_t)ct_in_integer(serial) : 0;
}

/* Addresses of packets are used again: what is known of one begins with it. */
static void begin_packet(struct ct_in *in, const bt_packet *packet)
{
    *place_of(in, packet) = (struct ct_in_packet){ packet, look_into(packet) };
}

/* HOT: at every event. */
static uint64_t packet_serial(struct ct_in *in, const struct ct_in_program *p, const bt_event *event)
{
    const bt_packet *packet = p->own ? bt_event_borrow_packet_const(event) : NULL;
    const struct ct_in_packet *known = place_of(in, packet);

    if (!packet)
        return 0;
    return known->packet == packet ? known->serial : look_into(packet);
}

/* A member of the common context; `otherwise` when there is none. */
static int64_t context_number(const bt_field *context, int member, int64_t otherwise)
{
    return context && member >= 0
               ? ct_in_integer(bt_field_structure_borrow_member_field_by_index_const(context, (uint64_t)member)) : otherwise;
}

/* A program whose tables nobody tells has a generation each second, or each few million events. */
static int make_room(struct ct_in *in, struct ct_in_program *p)
{
    int r = 0;

    if (p->g && (p->own || (in->now - p->g_start < SECOND && p->g_events < GENERATION_EVENTS)))
        return 0;
    if (p->g) {
        p->g->has_end = true;
        p->g->end.clock = (struct ct_clock_sample){ in->now, in->now, in->now };
    }
    r = ct_in_generation(in, p, p->numbers + 1, in->now);
    return r;
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

/* What a live session tells of after the program's schema was written has no number there. */
static struct ct_in_class as_log(const struct ct_in_class *class)
{
    struct ct_in_class log = *class;

    log.kind = CT_IN_LOG;
    return log;
}

static int take_values(struct ct_in *in, struct ct_in_program *p, const struct ct_in_class *class, const bt_event *event)
{
    const bt_field *payload = bt_event_borrow_payload_field_const(event);
    const bt_field *context = bt_event_borrow_common_context_field_const(event);
    struct ct_bt2_value values[CT_DUMP_FIELDS_MAX];
    char room[CT_IN_LOG_BYTES];
    uint64_t serial;
    int r;

    if (class->kind == CT_IN_LOG)
        values[0] = (struct ct_bt2_value){ .text = described(payload, room) };
    else
        ct_in_values(in, class, payload, values);
    if (class->kind == CT_IN_DUMP)
        return ct_in_dump(in, p, class, values);
    r = make_room(in, p);
    if (r < 0)
        return r;
    serial = packet_serial(in, p, event);
    if (serial == 0)
        serial = ct_in_serial(p, context_number(context, class->vtid,
                                                -1 - (int64_t)bt_stream_get_id(bt_event_borrow_stream_const(event))),
                              name_of(context, class));
    if (serial == 0)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    return ct_in_event(in, p, serial, context_number(context, class->nested, 0), class, values);
}

static int take_event(struct ct_in *in, const bt_event *event)
{
    const struct ct_in_class *class = ct_in_class(in, bt_event_borrow_class_const(event));
    const bt_trace *trace = bt_stream_borrow_trace_const(bt_event_borrow_stream_const(event));
    struct ct_in_program *p;
    struct ct_in_class log;

    if (!class)
        return ct_error_at(in->err, -ENOMEM, 0, "no memory");
    p = ct_in_program(in, trace, context_number(bt_event_borrow_common_context_field_const(event), class->vpid, 0));
    if (!p)
        return -ENOMEM;
    if (class->kind == CT_IN_NAMED && class->no - CT_IN_FIRST >= p->named) {
        log = as_log(class);
        class = &log;
    }
    return take_values(in, p, class, event);
}

int ct_in_message(struct ct_in *in, const bt_message *message)
{
    bt_message_type type = bt_message_get_type(message);
    int r;

    if (type == BT_MESSAGE_TYPE_PACKET_BEGINNING)
        begin_packet(in, bt_message_packet_beginning_borrow_packet_const(message));
    if (type != BT_MESSAGE_TYPE_EVENT)
        return 0;
    r = set_time(in, bt_message_event_borrow_default_clock_snapshot_const(message));
    return r < 0 ? r : take_event(in, bt_message_event_borrow_event_const(message));
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
        ct_list_fini(&p->threads);
        free(p);
    }
    ct_list_fini(&in->programs);
    for (size_t i = 0; i < in->classes.count; i++)
        free(in->classes.items[i]);
    ct_list_fini(&in->classes);
    ct_idmap_fini(&in->class_places);
    ct_build_fini(&in->build);
}
