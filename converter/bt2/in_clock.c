/* When messages are due, and whether that can be said at all. */
#include <errno.h>
#include <string.h>

#include "converter/bt2/in.h"

enum { SECOND = 1000000000 };
static const int64_t day = 86400ll * SECOND;

/* Ours count up from 0.  Clocks that began before it, as bare metal's may, are taken as many days later as it needs. */
static uint64_t shifted(struct ct_in *in, int64_t ns)
{
    if (!in->timed)
        in->shift = ns < 0 ? (-1 - ns) / day * day + day : 0;
    in->timed = true;
    return ns > -(int64_t)in->shift ? (uint64_t)ns + in->shift : 0;
}

int ct_in_set_time(struct ct_in *in, const bt_clock_snapshot *clock)
{
    uint64_t value = bt_clock_snapshot_get_value(clock);
    uint64_t frequency = bt_clock_class_get_frequency(bt_clock_snapshot_borrow_clock_class_const(clock)), at;
    int64_t ns;

    if (bt_clock_snapshot_get_ns_from_origin(clock, &ns) != 0 || ns < INT64_MIN + day)
        return ct_error_at(in->err, -ERANGE, 0, "an event has a time before 1678 or after 2262");
    at = shifted(in, ns);
    if (at > INT64_MAX)
        return ct_error_at(in->err, -ERANGE, 0, "the times of events are more than 292 years apart");
    if (at > in->now)
        in->now = at;
    in->base = frequency == SECOND ? (int64_t)(at - value) : (int64_t)at;
    return 0;
}

/* Clocks that count from 1970 can be compared, and others if they are the same. */
static bool comparable(const bt_clock_class *a, const bt_clock_class *b)
{
    bt_uuid x = bt_clock_class_get_uuid(a), y = bt_clock_class_get_uuid(b);
    bool absolute = bt_clock_class_origin_is_unix_epoch(a);

    if (a == b || absolute != (bool)bt_clock_class_origin_is_unix_epoch(b))
        return a == b;
    return absolute || (!x == !y && (!x || memcmp(x, y, CT_UUID_SIZE) == 0));
}

int ct_in_check_clock(struct ct_in *in, const bt_stream *stream)
{
    const bt_clock_class *clock = bt_stream_class_borrow_default_clock_class_const(bt_stream_borrow_class_const(stream));

    if (!clock)
        return ct_error_at(in->err, -ENOTSUP, 0, "a stream of this CTF has no clock: nothing says when its events were");
    if (!in->clock)
        in->clock = clock;
    if (!comparable(in->clock, clock))
        return ct_error_at(in->err, -ENOTSUP, 0, "two clocks of this CTF have nothing in common: nothing says what was first");
    return 0;
}

static const bt_clock_snapshot *of_packet(const bt_message *message, bool begins)
{
    const bt_packet *packet = begins ? bt_message_packet_beginning_borrow_packet_const(message)
                                     : bt_message_packet_end_borrow_packet_const(message);
    const bt_stream_class *class = bt_stream_borrow_class_const(bt_packet_borrow_stream_const(packet));

    if (begins)
        return bt_stream_class_packets_have_beginning_default_clock_snapshot(class)
                   ? bt_message_packet_beginning_borrow_default_clock_snapshot_const(message) : NULL;
    return bt_stream_class_packets_have_end_default_clock_snapshot(class)
               ? bt_message_packet_end_borrow_default_clock_snapshot_const(message) : NULL;
}

/* When it began; the source knows of any packet's times. */
static const bt_clock_snapshot *of_loss(const bt_message *message, bool events)
{
    const bt_stream *stream = events ? bt_message_discarded_events_borrow_stream_const(message)
                                     : bt_message_discarded_packets_borrow_stream_const(message);
    const bt_stream_class *class = bt_stream_borrow_class_const(stream);

    if (events)
        return bt_stream_class_discarded_events_have_default_clock_snapshots(class)
                   ? bt_message_discarded_events_borrow_beginning_default_clock_snapshot_const(message) : NULL;
    return bt_stream_class_discarded_packets_have_default_clock_snapshots(class)
               ? bt_message_discarded_packets_borrow_beginning_default_clock_snapshot_const(message) : NULL;
}

static const bt_clock_snapshot *of_stream(const bt_message *message, bool begins)
{
    const bt_clock_snapshot *clock = NULL;

    if (begins)
        return bt_message_stream_beginning_borrow_default_clock_snapshot_const(message, &clock) ? clock : NULL;
    return bt_message_stream_end_borrow_default_clock_snapshot_const(message, &clock) ? clock : NULL;
}

const bt_clock_snapshot *ct_in_clock_of(const bt_message *message, bt_message_type type)
{
    switch (type) {
    case BT_MESSAGE_TYPE_EVENT:
        return bt_message_event_borrow_default_clock_snapshot_const(message);
    case BT_MESSAGE_TYPE_PACKET_BEGINNING:
    case BT_MESSAGE_TYPE_PACKET_END:
        return of_packet(message, type == BT_MESSAGE_TYPE_PACKET_BEGINNING);
    case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
    case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
        return of_loss(message, type == BT_MESSAGE_TYPE_DISCARDED_EVENTS);
    case BT_MESSAGE_TYPE_STREAM_BEGINNING:
    case BT_MESSAGE_TYPE_STREAM_END:
        return of_stream(message, type == BT_MESSAGE_TYPE_STREAM_BEGINNING);
    default:
        return bt_message_message_iterator_inactivity_borrow_clock_snapshot_const(message);
    }
}
