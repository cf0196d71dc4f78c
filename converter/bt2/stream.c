/* Beginnings and ends of streams and packets: SB ((PB event* PE) | lost)* SE. */
#include <errno.h>
#include <string.h>

#include "converter/bt2/source_impl.h"

int ct_bt2_queue(struct ct_bt2_iterator *it, const bt_message *message)
{
    const bt_message **slot = message ? ct_list_add(&it->queue) : NULL;

    if (!slot) {
        bt_message_put_ref(message);
        return -ENOMEM;
    }
    *slot = message;
    return 0;
}

static int begin_packet(struct ct_bt2_iterator *it, bt_stream *stream, bool has_serial, uint64_t serial, bt_packet **ret)
{
    bt_packet *packet = bt_packet_create(stream);

    if (!packet)
        return -ENOMEM;
    if (has_serial)
        bt_field_integer_unsigned_set_value(
            bt_field_structure_borrow_member_field_by_index(bt_packet_borrow_context_field(packet), 0), serial);
    *ret = packet;
    return ct_bt2_queue(it, bt_message_packet_beginning_create_with_default_clock_snapshot(it->self, packet,
                                                                                           ct_bt2_clock(it->now)));
}

static int end_packet(struct ct_bt2_iterator *it, bt_packet **packet)
{
    int r = ct_bt2_queue(it, bt_message_packet_end_create_with_default_clock_snapshot(it->self, *packet,
                                                                                      ct_bt2_clock(it->now)));

    bt_packet_put_ref(*packet);
    *packet = NULL;
    return r;
}

/* The stream of a thread is the same for all iterators of the component. */
static bt_stream *stream_of(struct ct_bt2_source *source, const struct ct_read_thread *thread)
{
    while (source->streams.count <= thread->index) {
        bt_stream **slot = ct_list_add(&source->streams);

        if (!slot)
            return NULL;
        *slot = NULL;
    }
    if (!source->streams.items[thread->index])
        source->streams.items[thread->index] = ct_bt2_thread_stream(&source->programs[thread->program->index], thread);
    return source->streams.items[thread->index];
}

static struct ct_bt2_thread *place_of(struct ct_bt2_iterator *it, unsigned index)
{
    while (it->threads.count <= index) {
        struct ct_bt2_thread *slot = ct_list_add(&it->threads);

        if (!slot)
            return NULL;
        *slot = (struct ct_bt2_thread){ 0 };
    }
    return &it->threads.items[index];
}

static int open_packet(struct ct_bt2_iterator *it, struct ct_bt2_thread *t, const struct ct_read_thread *thread)
{
    unsigned *open;
    int r = 0;

    if (!t->stream) {
        t->stream = stream_of(it->source, thread);
        r = t->stream ? ct_bt2_queue(it, bt_message_stream_beginning_create(it->self, t->stream)) : -ENOMEM;
    }
    if (r == 0)
        r = begin_packet(it, t->stream, true, thread->serial, &t->packet);
    if (r < 0)
        return r;
    open = ct_list_add(&it->open);
    if (!open)
        return -ENOMEM;
    *open = thread->index;
    return 0;
}

/* HOT: at every event. */
bt_packet *ct_bt2_thread_packet(struct ct_bt2_iterator *it, const struct ct_read_thread *thread)
{
    struct ct_bt2_thread *t = place_of(it, thread->index);

    if (!t || (!t->packet && open_packet(it, t, thread) < 0))
        return NULL;
    return t->packet;
}

/*
 * babeltrace2's writer of CTF wants the time of a loss to be from the end of one packet to the end of the next: that one
 * holds the LOST event alone.
 */
int ct_bt2_thread_lost(struct ct_bt2_iterator *it, const struct ct_read_thread *thread, uint64_t count)
{
    int r = ct_bt2_thread_packet(it, thread) ? 0 : -ENOMEM;
    struct ct_bt2_thread *t = r < 0 ? NULL : &it->threads.items[thread->index];
    bt_message *message;

    if (r == 0)
        r = end_packet(it, &t->packet);
    message = r < 0 ? NULL : bt_message_discarded_events_create_with_default_clock_snapshots(
        it->self, t->stream, ct_bt2_clock(it->now), ct_bt2_clock(it->now));
    if (!message)
        return -ENOMEM;
    if (count)
        bt_message_discarded_events_set_count(message, count);
    r = ct_bt2_queue(it, message);
    return r < 0 ? r : begin_packet(it, t->stream, true, thread->serial, &t->packet);
}

int ct_bt2_thread_renew(struct ct_bt2_iterator *it, const struct ct_read_thread *thread)
{
    struct ct_bt2_thread *t = &it->threads.items[thread->index];
    int r = end_packet(it, &t->packet);

    return r < 0 ? r : begin_packet(it, t->stream, true, thread->serial, &t->packet);
}

int ct_bt2_close_packets(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    size_t kept = 0;
    int r = 0;

    for (size_t i = 0; i < it->open.count; i++) {
        unsigned index = it->open.items[i];

        if (program && ct_reader_thread(it->reader, index)->program != program)
            it->open.items[kept++] = index;
        else if (r == 0)
            r = end_packet(it, &it->threads.items[index].packet);
    }
    it->open.count = kept;
    return r;
}

int ct_bt2_end_streams(struct ct_bt2_iterator *it)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < it->threads.count; i++)
        if (it->threads.items[i].stream)
            r = ct_bt2_queue(it, bt_message_stream_end_create(it->self, it->threads.items[i].stream));
    return r;
}

int ct_bt2_begin_tables(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    struct ct_bt2_told *told = &it->told[program->index];
    bt_stream *stream = it->source->programs[program->index].dump_stream;
    int r = 0;

    if (told->begun)
        r = told->packet ? end_packet(it, &told->packet) : 0;
    else
        r = ct_bt2_queue(it, bt_message_stream_beginning_create(it->self, stream));
    if (r < 0)
        return r;
    r = begin_packet(it, stream, false, 0, &told->packet);
    if (r == 0 && !told->begun)
        r = ct_bt2_tell_program(it, program);
    told->begun = true;
    return r;
}

int ct_bt2_end_tables(struct ct_bt2_iterator *it, const struct ct_read_program *program)
{
    struct ct_bt2_told *told = &it->told[program->index];
    int r = 0;

    if (told->ended)
        return 0;
    told->ended = true;
    if (!told->begun)
        r = ct_bt2_begin_tables(it, program);
    if (r == 0 && program->has_end)
        r = ct_bt2_tell_end(it, program);
    if (r == 0)
        r = end_packet(it, &told->packet);
    return r < 0 ? r : ct_bt2_queue(it, bt_message_stream_end_create(it->self,
                                                                     it->source->programs[program->index].dump_stream));
}
