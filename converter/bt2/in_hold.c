/*
 * The start of a kernel's trace waits in memory: which process a thread belongs to is told by the state dump, or by what it
 * does itself, some time after it was first seen.
 */
#include <errno.h>

#include "converter/bt2/in.h"

enum { HELD_MAX = 1 << 16, HELD_NS = 1000000000 };

static int no_memory(struct ct_in *in)
{
    return ct_error_at(in->err, -ENOMEM, 0, "no memory");
}

static int learn(struct ct_in *in, const bt_event *event)
{
    const struct ct_in_trace *trace = ct_in_trace(in, bt_stream_borrow_trace_const(bt_event_borrow_stream_const(event)));
    const struct ct_in_class *class = trace ? ct_in_class(in, bt_event_borrow_class_const(event), trace->kernel) : NULL;

    if (!class)
        return no_memory(in);
    if (trace->kernel)
        ct_in_kernel_learn(in, trace, class, event);
    return 0;
}

/* Whether enough was held back at the time of `message`; `in->held_from` is 0 before the first event. */
static bool is_enough(struct ct_in *in, const bt_message *message)
{
    int64_t ns;

    if (in->held.count >= HELD_MAX)
        return true;
    if (bt_message_get_type(message) != BT_MESSAGE_TYPE_EVENT ||
        bt_clock_snapshot_get_ns_from_origin(bt_message_event_borrow_default_clock_snapshot_const(message), &ns) != 0)
        return false;
    if (in->held_from == 0)
        in->held_from = ns;
    return ns > in->held_from + HELD_NS;
}

/* Streams tell of their trace before the first event, so it is known then whether there is a kernel's among them. */
static int look_at_stream(struct ct_in *in, const bt_message *message)
{
    const bt_stream *stream = bt_message_stream_beginning_borrow_stream_const(message);
    const struct ct_in_trace *trace = ct_in_trace(in, bt_stream_borrow_trace_const(stream));

    if (!trace)
        return no_memory(in);
    in->holding |= trace->kernel && in->programs.count == 0;
    return 0;
}

int ct_in_hold(struct ct_in *in, const bt_message *message)
{
    const bt_message **slot;
    int r = 0;

    if (bt_message_get_type(message) == BT_MESSAGE_TYPE_STREAM_BEGINNING)
        return look_at_stream(in, message);
    if (!in->holding)
        return 0;
    if (is_enough(in, message))
        return ct_in_release(in);
    if (bt_message_get_type(message) == BT_MESSAGE_TYPE_EVENT)
        r = learn(in, bt_message_event_borrow_event_const(message));
    slot = r == 0 ? ct_list_add(&in->held) : NULL;
    if (!slot)
        return r < 0 ? r : no_memory(in);
    bt_message_get_ref(message);
    *slot = message;
    return 1;
}

int ct_in_release(struct ct_in *in)
{
    int r = 0;

    in->holding = false;
    for (size_t i = 0; i < in->held.count; i++) {
        if (r == 0)
            r = ct_in_message_now(in, in->held.items[i]);
        bt_message_put_ref(in->held.items[i]);
    }
    ct_list_fini(&in->held);
    return r;
}
